"""Exchanges on the demo's stage: what hosts offer, who goes where, and how it was, as the services would leave it."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from importlib.resources import files
from typing import Any, Final

from app.demo.stage import PROGRAMME_ID, Player, Stage, dated
from app.lib import days, markdown
from app.lib.days import Span
from app.lib.secrets import derive
from app.methods import booking_machine as machine
from app.methods.booking_machine import APPROVED, ASKED, HELD
from app.models import (
    Agreement,
    Booking,
    BookingStep,
    Decision,
    Period,
    Person,
    Placement,
    Reflection,
    Story,
    Wish,
    WishList,
)
from app.models.base import table
from app.models.exchange import APPROVERS, COORDINATOR, GUEST, HOST, MANAGER
from app.services.exchange_rules import CONFIDENTIALITY, Rules

At = Callable[..., None]
"""Plans an act: when, the act, what it takes."""

RULES: Final = Rules(PROGRAMME_ID)
OFFERED_DAYS_AGO: Final = 103
STEP: Final = timedelta(hours=26)
"""How long each of those who are asked takes to answer."""

TO_CONFIRMED: Final = ("hold", *("approve" for _ in APPROVERS), "confirm")
PATHS: Final[Mapping[str, tuple[str, ...]]] = {
    "waiting": ("queue",),
    "declined": ("hold", "decline"),
    "approved": TO_CONFIRMED[:-1],
    "confirmed": TO_CONFIRMED,
    "under_way": (*TO_CONFIRMED, "start"),
    "completed": (*TO_CONFIRMED, "start", "complete"),
    "reflected": (*TO_CONFIRMED, "start", "complete", "reflect"),
}
"""The steps that lead to a state; `held` depends on how many have approved."""


@dataclass(slots=True)
class _Scene:
    """A booking on its way: who plays in it, and from the asking on its row."""

    told: Mapping[str, Any]
    guest: Player
    manager: Player | None
    coordinator: Player
    contact: Any = None
    terms: str = ""
    row: dict[str, Any] = field(default_factory=dict)

    def player(self, role: str) -> Player | None:
        """Who acts in a role; nobody, where it is the clock or someone without an account."""
        parts = {GUEST: self.guest, MANAGER: self.manager, HOST: self.contact, COORDINATOR: self.coordinator}
        return parts.get(role)


class Exchanges:
    """The acts of all exchanges. `people` are by their keys, `organisations` by their names (to ids)."""

    def __init__(
        self, stage: Stage, at: At, people: Mapping[str, Player], organisations: Mapping[str, int]
    ) -> None:
        self._stage = stage
        self._at = at
        self._people = people
        self._organisations = organisations
        self._monday = days.week_of(RULES.today(stage.now)).first_day
        self._placements: dict[str, dict[str, Any]] = {}
        self._periods: dict[tuple[str, int], dict[str, Any]] = {}

    def plan(self, coordinator: str) -> None:
        """Plan everything that the content tells."""
        told = read()
        boss = self._people[coordinator]
        offered = self._stage.now - timedelta(days=OFFERED_DAYS_AGO)
        for number, placement in enumerate(told["placements"]):
            when = offered + timedelta(hours=number)
            self._at(when, self._offer, placement, boss)
            if not placement.get("proposed"):
                self._at(when + STEP, self._publish, placement["key"], boss)
        for booking in told["bookings"]:
            self._plan_booking(booking, boss)
        for wish in told["wishes"]:
            self._at(self._stage.now - timedelta(days=3), self._wish, wish)

    def _plan_booking(self, told: Mapping[str, Any], coordinator: Player) -> None:
        """Plan a booking: asking for it, and each step on the way to its state."""
        asked = self._stage.now - timedelta(days=told["asked"])
        manager = self._people.get(told.get("manager", ""))
        scene = _Scene(told, self._people[told["guest"]], manager, coordinator)
        self._at(asked, self._ask, scene)
        path = PATHS.get(told["state"]) or ("hold", *("approve" for _ in range(told["approvals"])))
        for place, action in enumerate(path):
            when = self._moment(asked, action, place, self._week(told["week"]))
            role = APPROVERS[place - 1] if action in ("approve", "decline") else ""
            self._at(when, self._step, scene, action, role)

    # placements

    def _offer(self, when: datetime, told: Mapping[str, Any], coordinator: Player) -> None:
        contact = self._people[told["contact"]]
        is_published = not told.get("proposed")
        id = self._stage.add(
            Placement,
            programme_id=PROGRAMME_ID,
            organisation_id=self._organisations[told["host"]],
            title=told["title"],
            description=told["description"].strip(),
            description_html=markdown.render(told["description"].strip()),
            language="en",
            competencies=told["competencies"],
            spoken=told["spoken"],
            place=told["place"],
            accessibility=told["accessibility"],
            confidentiality=told["confidentiality"],
            open_to="other",
            least_days=told.get("least_days", 1),
            most_days=told.get("most_days", 5),
            contact_id=contact.id,
            offered_by=contact.id,
            published_at=when + STEP if is_published else None,
            published_by=coordinator.id if is_published else None,
            returned_at=None,
            note="",
            withdrawn_at=None,
            is_desk=False,
            version=1,
            **dated(when),
        )
        self._placements[told["key"]] = {**told, "id": id, "contact": contact}
        for offered in told.get("weeks", ()):
            self._period(told["key"], self._week(offered["week"]), offered, is_window=False)
        for offered in told.get("windows", ()):
            first = self._week(offered["week"]).first_day
            span = Span(first, first + timedelta(weeks=offered["weeks"], days=-3))
            self._period(told["key"], span, offered, is_window=True)
        self._stage.log(when, "placement.offered", contact, subject_id=id)

    def _publish(self, when: datetime, key: str, coordinator: Player) -> None:
        self._stage.log(when, "placement.published", coordinator, subject_id=self._placements[key]["id"])

    def _period(self, key: str, span: Span, offered: Mapping[str, Any], *, is_window: bool) -> None:
        id = self._stage.add(
            Period,
            programme_id=PROGRAMME_ID,
            placement_id=self._placements[key]["id"],
            first_day=span.first_day,
            last_day=span.last_day,
            is_window=is_window,
            places=offered["places"],
            withdrawn_at=None,
        )
        self._periods[key, offered["week"]] = {"id": id, "span": span}

    # bookings

    def _ask(self, when: datetime, scene: _Scene) -> None:
        told, guest, manager = scene.told, scene.guest, scene.manager
        period = self._periods[told["at"], told["week"]]
        scene.contact = self._placements[told["at"]]["contact"]
        scene.terms = self._placements[told["at"]]["confidentiality"]
        number = len(self._stage.rows.get(table(Booking), [])) + 1
        self._stage.add(
            Booking,
            programme_id=PROGRAMME_ID,
            placement_id=self._placements[told["at"]]["id"],
            period_id=period["id"],
            person_id=guest.id,
            organisation_id=guest.organisation_id,
            sector_id=guest.sector_id,
            state=ASKED,
            first_day=period["span"].first_day,
            last_day=period["span"].last_day,
            message=told["message"],
            manager_id=manager.id if manager else None,
            manager_name=self._name(manager) if manager else told["manager_name"],
            manager_email=told.get("manager_email", ""),
            line_at=when,
            round=1,
            expires_at=None,
            reminded_at=None,
            match_id=None,
            uid=derive(f"demo booking {number}", "uid")[:32],
            sequence=0,
            confirmed_at=None,
            version=0,
            **dated(when),
        )
        scene.row = self._stage.rows[table(Booking)][-1]

    def _name(self, player: Player) -> str:
        return str(self._stage.rows[table(Person)][player.id - 1]["name"])

    def _step(self, when: datetime, scene: _Scene, action: str, role: str) -> None:
        row = scene.row
        source = row["state"]
        is_last = action == "approve" and role == COORDINATOR
        transition = machine.step(action, source, APPROVED if is_last else None)
        target = APPROVED if is_last else transition.targets[0]
        role = role or transition.roles[0]
        expires_at = self._until(when, row["first_day"]) if target == HELD else None
        row.update(state=target, version=row["version"] + 1, updated_at=when, expires_at=expires_at)
        if action == "confirm":
            row.update(confirmed_at=when, sequence=1)
            self._agree(when, scene)
        if action in ("approve", "decline"):
            self._decide(when, scene, role, approved=action == "approve")
        if action == "reflect":
            self._reflect(when, scene)
        self._put_down(when, scene, transition, source, role)

    def _put_down(
        self, when: datetime, scene: _Scene, transition: machine.Transition, source: str, role: str
    ) -> None:
        row, actor = scene.row, scene.player(role)
        self._stage.add(
            BookingStep,
            programme_id=PROGRAMME_ID,
            booking_id=row["id"],
            action=transition.action,
            state=row["state"],
            role=role,
            actor_id=actor.id if actor else None,
            reason=scene.told.get("reason", "") if transition.action == "decline" else "",
            first_day=row["first_day"],
            last_day=row["last_day"],
            taken_at=when,
        )
        data = {
            "from": source,
            "to": row["state"],
            "period": row["period_id"],
            "first_day": row["first_day"].isoformat(),
            "last_day": row["last_day"].isoformat(),
        }
        self._stage.log(when, transition.event, actor, subject_id=row["id"], data=data)

    def _decide(self, when: datetime, scene: _Scene, role: str, *, approved: bool) -> None:
        actor = scene.player(role)
        self._stage.add(
            Decision,
            programme_id=PROGRAMME_ID,
            booking_id=scene.row["id"],
            round=1,
            role=role,
            approved=approved,
            reason="" if approved else scene.told.get("reason", ""),
            decided_by=actor.id if actor else None,
            decided_as="" if actor else scene.row["manager_name"],
            link_id=None,
            decided_at=when,
        )

    def _agree(self, when: datetime, scene: _Scene) -> None:
        row = scene.row
        for item in RULES.checklist:
            by = scene.guest if item.party == GUEST else scene.contact
            terms = scene.terms if item.key == CONFIDENTIALITY else ""
            self._stage.add(
                Agreement,
                programme_id=PROGRAMME_ID,
                booking_id=row["id"],
                item=item.key,
                party=item.party,
                statement="\n\n".join(filter(None, (item.text, terms))),
                answer=f"At the gate; telephone 012 555 0{row['id']:02}" if item.asks else "",
                agreed_by=by.id,
                agreed_at=when,
            )
            self._stage.log(when, "agreement.given", by, subject_id=row["id"])

    def _reflect(self, when: datetime, scene: _Scene) -> None:
        told, row = scene.told, scene.row
        sides = ((GUEST, "", scene.guest), (HOST, "host_", scene.contact))
        for party, prefix, by in sides:
            answers = {name: told[f"{prefix}{name}"] for name in ("learned", "surprised", "next")}
            self._stage.add(
                Reflection,
                programme_id=PROGRAMME_ID,
                booking_id=row["id"],
                party=party,
                language="en",
                written_by=by.id,
                written_at=when,
                **answers,
            )
            self._stage.log(when, "reflection.written", by, subject_id=row["id"])
        if "story" in told:
            self._tell(when, told, row["id"], scene.guest)

    def _tell(self, when: datetime, told: Mapping[str, Any], booking_id: int, guest: Player) -> None:
        id = self._stage.add(
            Story,
            programme_id=PROGRAMME_ID,
            booking_id=booking_id,
            title=told["story"],
            text=told["story_text"],
            text_html=markdown.render(told["story_text"]),
            language="en",
            written_by=guest.id,
            guest_consent_at=when,
            host_consent_at=when,
            published_at=when,
            version=2,
            **dated(when),
        )
        for type in ("story.written", "story.published"):
            self._stage.log(when, type, guest, subject_id=id)

    # wishes

    def _wish(self, when: datetime, told: Mapping[str, Any]) -> None:
        person = self._people[told["person"]]
        belongs = {"programme_id": PROGRAMME_ID, "person_id": person.id}
        self._stage.put(
            WishList,
            **belongs,
            unavailable=[],
            offers_desk=told.get("desk", False),
            version=1,
            **dated(when),
        )
        for rank, key in enumerate(told["placements"], 1):
            self._stage.put(
                Wish,
                **belongs,
                rank=rank,
                placement_id=self._placements[key]["id"],
                period_id=None,
                organisation_id=None,
                competency=None,
                first_day=None,
                last_day=None,
            )
        self._stage.log(when, "wishes.stated", person, subject_id=person.id)

    # when

    def _week(self, number: int) -> Span:
        monday = self._monday + timedelta(weeks=number)
        return Span(monday, monday + timedelta(days=4))

    def _moment(self, asked: datetime, action: str, place: int, stay: Span) -> datetime:
        """When a step is taken: by the calendar where that decides, else some time after the one before."""
        if action == "start":
            return RULES.begins(stay.first_day)
        if action == "complete":
            return RULES.begins(stay.last_day + timedelta(days=1))
        if action == "reflect":
            return RULES.begins(stay.last_day + timedelta(days=4))
        return asked + place * STEP

    def _until(self, when: datetime, first_day: date) -> datetime:
        """A place is held as long as it takes in the demo, so that nothing in it has lapsed."""
        return min(max(when, self._stage.now) + timedelta(days=RULES.hold_days), RULES.begins(first_day))


def read() -> dict[str, Any]:
    """What the content tells of exchanges."""
    content = files("app.demo") / "content" / "exchanges.toml"
    return tomllib.loads(content.read_text("utf-8"))
