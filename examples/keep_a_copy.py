"""Keep a copy of a programme in an SQLite file: TOKEN=… python keep_a_copy.py https://…/api/v1 PROGRAMME FILE."""

import json
import sqlite3
import time
from contextlib import suppress
from os import environ
from sys import argv
from typing import Any

import httpx2

API = httpx2.Client(base_url=argv[1], headers={"Authorization": f"Bearer {environ['TOKEN']}"}, timeout=60)
ALL, COPY = f"/programmes/{argv[2]}", sqlite3.connect(argv[3])
BELOW = {"programmes": ("challenges", "placements"), "challenges": ("ideas",), "ideas": ("comments",)}
AGAIN = dict.fromkeys(("comment", "idea", "support"), ALL + "/challenges/{challenge}/ideas/{idea}")
AGAIN |= dict.fromkeys(("challenge", "cluster", "merge", "phase"), ALL + "/challenges/{challenge}")
AGAIN |= {"placement": ALL + "/placements/{subject}", "organisation": ALL, "person": ALL}
LOSE = {"phase", "supported", "bridging", "free", "waiting"}  # these change without an event of the thing
CLOCK = """SELECT name FROM kept, json_tree(item, '$.phases') WHERE name NOT GLOB '*/i*' AND datetime(value)
    BETWEEN datetime(?, '-5 minutes') AND datetime()"""  # again for a while, for the server's clock may be behind


def get(name: str, below: str = "", **query: Any) -> tuple[Any, str]:
    """What is there, a list as a whole, asked for until there is an answer; and up to where the log was read."""
    items: list[Any] = []
    while True:
        pause_s = 1
        with suppress(httpx2.TransportError):
            answer = API.get("/" + "/".join(name.split("/")[-2:]) + below, params=query)
            if answer.status_code == 410 or (answer.status_code == 404 and below != "/events"):
                return {}, "now"
            if answer.status_code < 429:
                new = answer.raise_for_status().json(object_hook=lambda it: {k: it[k] for k in {*it} - LOSE})
                items += new.get("items", ())
                if not (query := query | {"cursor": new.get("next")})["cursor"]:
                    return {"items": items} if items else new, answer.headers.get("Event-Position", "")
            pause_s = int(answer.headers.get("Retry-After", answer.status_code >= 429))
        time.sleep(pause_s)


def keep(name: str, item: Any) -> None:
    """Put a thing and all below it in place of what was kept: nothing, if it is no longer there for everyone."""
    COPY.execute("DELETE FROM kept WHERE name = ?1 OR (name > ?1 || '/' AND name < ?1 || '0')", [name])
    if item and item.get("state", "open") in {"open", "published"}:
        COPY.execute("INSERT INTO kept VALUES (?, ?)", [name, json.dumps(item)])
        for kind in BELOW.get(name.split("/")[-2], ()) if item.get("comments", 1) else ():
            for each in get(name, f"/{kind}", limit=200)[0].get("items", ()):
                keep(f"{name}/{kind}/{each['id']}", each)


COPY.execute("CREATE TABLE IF NOT EXISTS kept (name TEXT PRIMARY KEY, item TEXT)")
COPY.execute("CREATE TABLE IF NOT EXISTS state (one PRIMARY KEY, position, at)")
while True:  # each round is one transaction: whenever this is killed, it goes on where it stood
    _, since, at = COPY.execute("SELECT * FROM state").fetchone() or (1, "now", "")
    page, read_to = get(ALL, "/events", after=since, limit=200, wait=0 if since == "now" else 20)
    COPY.execute("REPLACE INTO state VALUES (1, ?, datetime())", [read_to])
    names = {ALL} if since == "now" else {name for (name,) in COPY.execute(CLOCK, [at])}
    names |= {AGAIN.get(each["type"].split(".")[0], "").format(**each) for each in page.get("items", ())}
    for each in {ALL} & names or names - {""}:
        keep(each, get(each)[0])
    COPY.commit()
