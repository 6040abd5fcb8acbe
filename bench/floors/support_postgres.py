"""Support as an upsert and a tally with asyncpg: one transaction each, nobody is asked who they are."""

import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg
from fastapi import FastAPI, Request

TABLES = """
    CREATE TABLE IF NOT EXISTS floor_support (idea_id bigint, person_id bigint, PRIMARY KEY (idea_id, person_id));
    CREATE TABLE IF NOT EXISTS floor_tally (idea_id bigint PRIMARY KEY, people bigint NOT NULL);
"""
GIVE = "INSERT INTO floor_support VALUES ($1, $2) ON CONFLICT DO NOTHING"
WITHDRAW = "DELETE FROM floor_support WHERE idea_id = $1 AND person_id = $2"
COUNT = """
    INSERT INTO floor_tally VALUES ($1, $2)
    ON CONFLICT (idea_id) DO UPDATE SET people = floor_tally.people + excluded.people RETURNING people
"""


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """The pool, and the tables."""
    async with asyncpg.create_pool(os.environ["BENCH_DATABASE"], min_size=10, max_size=10) as pool:
        await pool.execute(TABLES)
        app.state.pool = pool
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/ideas/{idea_id}/support")
async def give(request: Request, idea_id: int, person: int) -> dict[str, int]:
    """Support an idea."""
    return {"people": await _meet(request, idea_id, person, GIVE, 1)}


@app.post("/ideas/{idea_id}/support/withdrawal")
async def withdraw(request: Request, idea_id: int, person: int) -> dict[str, int]:
    """Take support back."""
    return {"people": await _meet(request, idea_id, person, WITHDRAW, -1)}


async def _meet(request: Request, idea_id: int, person: int, statement: str, step: int) -> int:
    async with request.app.state.pool.acquire() as connection, connection.transaction():
        status = await connection.execute(statement, idea_id, person)
        changed = int(status.rsplit(" ", 1)[-1])
        return int(await connection.fetchval(COUNT, idea_id, step * changed))
