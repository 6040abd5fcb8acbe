"""Who runs the demo besides those who are told of, who stands in for whom, and who is on the way in."""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Final

from app.demo.stage import PROGRAMME_ID, Player, Stage, dated
from app.lib import days
from app.lib.i18n import ZONE
from app.models import Assignment, Invitation, JoinRequest, Person
from app.models.base import table

At = Callable[..., None]
"""Plans an act: when, the act, what it takes."""

ORGANISATION_ADMINISTRATOR: Final = "matej"
STAND_IN: Final = "tjaša"
AWAY_DAYS: Final = 12
GOOD_FOR: Final = timedelta(days=14)


class Admission:
    """The acts of those who run the programme; `people` by key, `issuer` of the provider of companies."""

    def __init__(self, stage: Stage, at: At, people: Mapping[str, Player], issuer: str) -> None:
        self._stage = stage
        self._at = at
        self._people = people
        self._issuer = issuer

    def plan(self, begin: datetime, coordinator: str, facilitator: str) -> None:
        """Plan them: the first when everyone has joined, the others lately."""
        now, nina, petra = self._stage.now, self._people[coordinator], self._people[facilitator]
        matej = self._people[ORGANISATION_ADMINISTRATOR]
        self._at(begin, self._name, nina)
        self._at(now - timedelta(days=40), self._give, matej, nina)
        self._at(now - timedelta(days=2), self._lend, petra, self._people[STAND_IN])
        self._at(now - timedelta(days=2), self._invite, matej, nina)
        self._at(now - timedelta(hours=20), self._ask, matej, nina)

    def _name(self, when: datetime, person: Player) -> None:
        """Whoever coordinates runs the installation too, by the command line."""
        row = self._stage.rows[table(Person)][person.id - 1]
        row.update(administrator_since=when, version=2, updated_at=when)
        data = {"person_id": person.id}
        self._stage.log(when, "administrator.named", None, programme_id=None, subject_id=person.id, data=data)

    def _give(self, when: datetime, person: Player, by: Player) -> None:
        """Someone looks after the people of their own organisation."""
        role = "organisation_administrator"
        target = {"organisation_id": person.organisation_id, "challenge_id": None}
        id = self._stage.add(
            Assignment,
            programme_id=PROGRAMME_ID,
            person_id=person.id,
            role=role,
            **target,
            delegated_by=None,
            starts_at=when,
            ends_at=None,
            created_by=by.id,
            created_at=when,
        )
        data = {"person_id": person.id, "role": role, **target}
        self._stage.log(when, "assignment.given", by, subject_id=id, data=data)

    def _lend(self, when: datetime, lender: Player, person: Player) -> None:
        """A colleague stands in until the lender is back."""
        back = (when + timedelta(days=AWAY_DAYS)).astimezone(ZONE).date()
        id = self._stage.add(
            Assignment,
            programme_id=PROGRAMME_ID,
            person_id=person.id,
            role=lender.role,
            organisation_id=None,
            challenge_id=None,
            delegated_by=lender.id,
            starts_at=when,
            ends_at=days.begins(back, str(ZONE)),
            created_by=lender.id,
            created_at=when,
        )
        data = {"person_id": person.id, "role": lender.role, "organisation_id": lender.organisation_id}
        self._stage.log(when, "delegation.given", lender, subject_id=id, data=data)
        self._stage.tell(when, person.id, "role_lent")

    def _invite(self, when: datetime, to: Player, by: Player) -> None:
        """Someone is invited into a company, and has not come yet; nobody has the address."""
        id = self._stage.add(
            Invitation,
            programme_id=PROGRAMME_ID,
            organisation_id=to.organisation_id,
            role="participant",
            provider=None,
            name="Vesna Kralj",
            email=None,
            nonce=Random("invitation").randbytes(16),
            created_by=by.id,
            created_at=when,
            expires_at=when + GOOD_FOR,
        )
        data = {"organisation_id": to.organisation_id, "role": "participant"}
        self._stage.log(when, "invitation.sent", by, subject_id=id, data=data)

    def _ask(self, when: datetime, colleague: Player, coordinator: Player) -> None:
        """Someone new of the same company waits to be let in."""
        id = self._stage.add(
            JoinRequest,
            programme_id=PROGRAMME_ID,
            provider=self._issuer.rpartition("/")[2],
            issuer=self._issuer,
            subject="demo-waiting",
            name="Rok Perko",
            email="rok.perko@zavrh.example",
            organisation_id=colleague.organisation_id,
            organisation_claim="6820105000",
            state="waiting",
            reason="",
            version=1,
            **dated(when),
        )
        self._stage.log(when, "join_request.made", None, subject_id=id)
        self._stage.tell(when, coordinator.id, "join_requested")
