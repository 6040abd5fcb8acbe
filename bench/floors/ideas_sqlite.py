"""A list of 50 ideas: raw sqlite3, `json.dumps`, a plain response; nobody is asked who they are."""

import json
import os
import sqlite3

from fastapi import FastAPI, Response

app = FastAPI()
connection = sqlite3.connect(os.environ["BENCH_DATABASE"], isolation_level=None)
connection.row_factory = sqlite3.Row
connection.execute("PRAGMA query_only=ON")

PAGE = """
    SELECT idea.id, idea.programme_id, idea.challenge_id, idea.title, idea.body, idea.body_html, idea.language,
        person.name AS author, organisation.name AS organisation, sector.key AS sector, idea.anonymous,
        idea.cluster_id, idea.state, idea.comments, idea.version, idea.created_at, idea.updated_at,
        tally.people AS supporters
    FROM idea
    JOIN person ON person.id = idea.author_id
    JOIN organisation ON organisation.id = idea.organisation_id
    JOIN sector ON sector.id = idea.sector_id
    LEFT JOIN tally ON tally.challenge_id = idea.challenge_id AND tally.idea_id = idea.id AND tally.sector_id = 0
    WHERE idea.challenge_id = ? AND idea.state = 'open' AND idea.id < ?
    ORDER BY idea.id DESC LIMIT ?
"""


@app.get("/challenges/{challenge_id}/ideas")
async def index(challenge_id: int, limit: int = 50, before: int = 1 << 60) -> Response:
    """One page, the newest first."""
    rows = connection.execute(PAGE, (challenge_id, before, limit)).fetchall()
    body = {"items": [dict(row) for row in rows], "next": rows[-1]["id"] if len(rows) == limit else None}
    return Response(json.dumps(body), media_type="application/json")
