"""Support as an upsert and a tally on raw sqlite3: one commit each at `NORMAL`, nobody is asked for a name."""

import os
import sqlite3

from fastapi import FastAPI

app = FastAPI()
connection = sqlite3.connect(os.environ["BENCH_DATABASE"], isolation_level=None)
connection.execute("PRAGMA journal_mode=WAL")
connection.execute("PRAGMA synchronous=NORMAL")
connection.executescript(
    """
    CREATE TABLE IF NOT EXISTS support (
        idea_id INTEGER, person_id INTEGER, PRIMARY KEY (idea_id, person_id)
    ) WITHOUT ROWID;
    CREATE TABLE IF NOT EXISTS tally (idea_id INTEGER PRIMARY KEY, people INTEGER NOT NULL);
    """
)


@app.post("/ideas/{idea_id}/support")
async def give(idea_id: int, person: int) -> dict[str, int]:
    """Support an idea."""
    return {"people": _meet(idea_id, person, "INSERT OR IGNORE INTO support VALUES (?, ?)", 1)}


@app.post("/ideas/{idea_id}/support/withdrawal")
async def withdraw(idea_id: int, person: int) -> dict[str, int]:
    """Take support back."""
    return {"people": _meet(idea_id, person, "DELETE FROM support WHERE idea_id = ? AND person_id = ?", -1)}


def _meet(idea_id: int, person: int, statement: str, step: int) -> int:
    connection.execute("BEGIN IMMEDIATE")
    changed = connection.execute(statement, (idea_id, person)).rowcount
    (people,) = connection.execute(
        "INSERT INTO tally VALUES (?, ?) ON CONFLICT DO UPDATE SET people = people + excluded.people RETURNING people",
        (idea_id, step * changed),
    ).fetchone()
    connection.execute("COMMIT")
    return int(people)
