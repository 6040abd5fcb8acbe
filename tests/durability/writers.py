"""Writers for tests that keep a copy: they do all that shows, over raw HTTP, and come back when a server has fallen."""

import asyncio
import json
import random
from collections import Counter
from collections.abc import Callable
from datetime import timedelta

from app.lib import clock

LANES = 4
"""Connections of one writer: as an integration has them."""

HOT = 30
"""Ideas that most of the support goes to."""

DONE = {200, 201, 204}
REFUSED = {403, 404, 409, 412, 503}
"""What is no fault: someone was faster, or a server is just coming or going."""


class Lane:
    """One connection, to whichever server answers."""

    def __init__(self, ports: list[int], first: int) -> None:
        self.ports = ports
        self.turn = first
        self.stream: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, method: str, path: str, token: str, body: object = None) -> tuple[int, dict]:
        """Ask; again, elsewhere, if nobody answered: what was done then may be done twice, which harms nothing here."""
        while True:
            try:
                async with asyncio.timeout(20):
                    return await self._send(method, path, token, body)
            except (OSError, EOFError, TimeoutError, ValueError, IndexError):
                if self.stream is not None:
                    self.stream[1].close()
                    self.stream = None
                self.turn += 1
                await asyncio.sleep(0.1)

    async def _send(self, method: str, path: str, token: str, body: object) -> tuple[int, dict]:
        if self.stream is None:
            port = self.ports[self.turn % len(self.ports)]
            self.stream = await asyncio.open_connection("127.0.0.1", port)
        reader, writer = self.stream
        data = b"" if body is None else json.dumps(body).encode()
        lines = [
            f"{method} /api/v1{path} HTTP/1.1",
            "Host: 127.0.0.1",
            f"Authorization: Bearer {token}",
            "If-Match: *",
            f"Content-Length: {len(data)}",
            *(["Content-Type: application/json"] if data else []),
        ]
        writer.write("\r\n".join([*lines, "", ""]).encode() + data)
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        status = int(head.split()[1])
        size = head.partition("content-length:")[2].split("\r\n")[0].strip()
        answer = await reader.readexactly(int(size or 0))
        if "connection: close" in head:
            writer.close()
            self.stream = None
        return status, json.loads(answer) if answer and status in DONE else {}


class Writers:
    """Four people who write by programs, with a facilitator, a coordinator and a host beside them."""

    def __init__(
        self, ports: list[int], tokens: dict[str, str], programme_id: int, challenges: list[int]
    ) -> None:
        self.ports = ports
        self.tokens = tokens
        self.programme_id = programme_id
        self.challenges = challenges
        self.ideas: list[tuple[int, str]] = []
        self.comments: list[tuple[int, str]] = []
        self.clusters: list[int] = []
        self.placements: list[int] = []
        self.hidden: list[int] = []
        self.supported: dict[tuple[str, int], bool] = {}
        self.answers: Counter[int] = Counter()
        self.rare = 0

    async def write_until(self, is_enough: Callable[[], bool]) -> None:
        people = [person for person in self.tokens if person not in ("fay", "cora", "hana")]
        lanes = [
            self._write(
                Lane(self.ports, number + lane), person, random.Random(100 * number + lane), is_enough
            )
            for number, person in enumerate(people)
            for lane in range(LANES)
        ]
        await asyncio.gather(*lanes)

    async def _write(
        self, lane: Lane, person: str, chance: random.Random, is_enough: Callable[[], bool]
    ) -> None:
        while not is_enough():
            if self.rare > 0:
                self.rare -= 1
                await self._seldom(lane, person, chance)
            step = chance.random()
            if len(self.ideas) < HOT or step < 0.02:
                await self._post(lane, person, chance)
            elif step < 0.04:
                await self._edit(lane, chance)
            elif step < 0.07:
                await self._comment(lane, person, chance)
            elif step < 0.085:
                await self._take_back(lane, chance)
            elif step < 0.095:
                await self._hide_or_restore(lane, chance)
            else:
                await self._support(lane, person, chance)

    async def _do(self, lane: Lane, method: str, path: str, person: str, body: object = None) -> dict | None:
        status, answer = await lane.send(method, path, self.tokens[person], body)
        self.answers[status] += 1
        assert status in DONE | REFUSED, (method, path, status)
        return answer if status in DONE else None

    def _one(self, chance: random.Random) -> tuple[int, str]:
        recent = self.ideas[-HOT:] if chance.random() < 0.9 else self.ideas
        return chance.choice(recent)

    async def _support(self, lane: Lane, person: str, chance: random.Random) -> None:
        idea, _ = self._one(chance)
        wanted = not self.supported.get((person, idea), False)
        self.supported[person, idea] = wanted
        await self._do(lane, "PUT" if wanted else "DELETE", f"/ideas/{idea}/support", person)

    async def _post(self, lane: Lane, person: str, chance: random.Random) -> None:
        challenge = chance.choice(self.challenges)
        draft = {"title": f"Čista ideja {chance.random()}", "body": "*ž*", "anonymous": False}
        made = await self._do(lane, "POST", f"/challenges/{challenge}/ideas", person, draft)
        if made:
            self.ideas.append((made["id"], person))

    async def _edit(self, lane: Lane, chance: random.Random) -> None:
        idea, author = self._one(chance)
        await self._do(lane, "PATCH", f"/ideas/{idea}", author, {"title": f"Changed {chance.random()}"})

    async def _comment(self, lane: Lane, person: str, chance: random.Random) -> None:
        idea, _ = self._one(chance)
        made = await self._do(
            lane, "POST", f"/ideas/{idea}/comments", person, {"body": f"Yes {chance.random()}"}
        )
        if made:
            self.comments.append((made["id"], person))

    async def _take_back(self, lane: Lane, chance: random.Random) -> None:
        if self.comments and chance.random() < 0.6:
            comment, author = self.comments.pop(chance.randrange(len(self.comments)))
            await self._do(lane, "DELETE", f"/comments/{comment}", author)
        elif len(self.ideas) > HOT:
            idea, author = self.ideas.pop(chance.randrange(len(self.ideas)))
            await self._do(lane, "DELETE", f"/ideas/{idea}", author)

    async def _hide_or_restore(self, lane: Lane, chance: random.Random) -> None:
        if self.hidden and chance.random() < 0.5:
            await self._do(lane, "DELETE", f"/ideas/{self.hidden.pop()}/hiding", "fay")
        else:
            idea, _ = self._one(chance)
            if (
                await self._do(lane, "POST", f"/ideas/{idea}/hiding", "fay", {"reason": "Not here"})
                is not None
            ):
                self.hidden.append(idea)

    async def _seldom(self, lane: Lane, person: str, chance: random.Random) -> None:
        """What touches much at once, in turn."""
        kinds = (
            self._change_challenge,
            self._change_cluster,
            self._merge,
            self._change_placement,
            self._new_challenge,
        )
        await kinds[self.rare % len(kinds)](lane, chance)

    async def _change_challenge(self, lane: Lane, chance: random.Random) -> None:
        challenge = chance.choice(self.challenges)
        await self._do(
            lane, "PATCH", f"/challenges/{challenge}", "cora", {"summary": f"So {chance.random()}"}
        )

    async def _change_cluster(self, lane: Lane, chance: random.Random) -> None:
        challenge = chance.choice(self.challenges)
        made = await self._do(lane, "POST", f"/challenges/{challenge}/clusters", "fay", {"title": "Soon"})
        if made:
            idea, author = self._one(chance)
            move = {"cluster": made["id"]}  # refused, if the idea is of another board
            await lane.send("PATCH", f"/ideas/{idea}", self.tokens[author], move)
            self.clusters.append(made["id"])
        if len(self.clusters) > 2:
            await self._do(lane, "DELETE", f"/clusters/{self.clusters.pop(0)}", "fay")

    async def _merge(self, lane: Lane, chance: random.Random) -> None:
        (source, author), (target, _) = self._one(chance), self._one(chance)
        if source != target:
            await lane.send("POST", f"/ideas/{source}/merges", self.tokens[author], {"target": target})

    async def _change_placement(self, lane: Lane, chance: random.Random) -> None:
        today = clock.now().date()
        monday = today + timedelta(weeks=9, days=-today.weekday())
        period = {"first_day": str(monday), "last_day": str(monday + timedelta(days=4)), "places": 2}
        draft = {"title": f"A week {chance.random()}", "description": "You see.", "periods": [period]}
        made = await self._do(lane, "POST", f"/programmes/{self.programme_id}/placements", "hana", draft)
        if made:
            await self._do(lane, "PUT", f"/placements/{made['id']}/publication", "cora")
            self.placements.append(made["id"])
        if len(self.placements) > 3:
            await self._do(lane, "DELETE", f"/placements/{self.placements.pop(0)}", "hana")

    async def _new_challenge(self, lane: Lane, chance: random.Random) -> None:
        draft = {"title": f"Another {chance.random()}"}
        made = await self._do(lane, "POST", f"/programmes/{self.programme_id}/challenges", "cora", draft)
        if made and chance.random() < 0.7:
            await self._do(lane, "DELETE", f"/challenges/{made['id']}", "cora")
