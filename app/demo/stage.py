"""Where the demo is played: each act leaves the rows that the services would have left."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from typing import Any

from sqlalchemy import Table

from app.demo import story
from app.demo.moments import Stretch
from app.lib import markdown
from app.models import (
    Challenge,
    Cluster,
    CoAuthor,
    Comment,
    Event,
    Hiding,
    Idea,
    IdeaVersion,
    Login,
    Membership,
    Merge,
    Notice,
    Organisation,
    OrganisationDomain,
    OrganisationIdentity,
    Person,
    Phase,
    Pin,
    Programme,
    Sector,
    Support,
    Tally,
)
from app.models.base import table
from app.models.idea import HIDDEN, MERGED, OPEN, WITHDRAWN
from app.models.merge import ACCEPTED, PROPOSED
from app.models.support import ALL

PROGRAMME_ID = 1
"""The programme's id: the first one of an empty database."""

READ_AFTER = timedelta(days=1)
NEW_FOR = timedelta(days=3)
"""A notice is read a day after it came, those of the last three days are still new."""

_render = cache(markdown.render)


@dataclass(frozen=True, slots=True)
class Player:
    """A person of the demo, in their place. `visits` marks the seats that are kept for visitors."""

    id: int
    organisation_id: int
    sector_id: int
    role: str
    visits: bool


@dataclass(slots=True)
class Card:
    """An idea on its way: who wrote it, and from its posting on its row."""

    idea: story.Idea
    number: int
    challenge_id: int
    cluster_id: int | None
    author: Player
    row: dict[str, Any] = field(default_factory=dict)
    supporters: dict[int, Player] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The id of its row."""
        return int(self.row["id"])

    @property
    def title(self) -> str:
        """Its title; with a number where the demo is larger than the story, so that no two are the same."""
        return self.idea.title if self.number == 1 else f"{self.idea.title} ({self.number})"


class Stage:
    """The rows of each table in the order of their ids, and the acts that add to them in the order of time."""

    def __init__(self, now: datetime) -> None:
        self.rows: dict[Table, list[dict[str, Any]]] = {}
        self.now = now

    # the scene

    def programme(self, when: datetime, told: story.Story) -> None:
        """Set up the programme and its sectors."""
        self.add(
            Programme,
            slug=told.slug,
            name=told.name,
            description=told.description,
            language=told.language,
            visibility="public",
            version=1,
            **dated(when),
        )
        for position, sector in enumerate(told.sectors):
            self.add(Sector, programme_id=PROGRAMME_ID, key=sector.key, name=sector.name, position=position)
        self.log(when, "programme.created", None, subject_id=PROGRAMME_ID)

    def organisation(
        self, when: datetime, organisation: story.Organisation, sector_id: int, issuer: str
    ) -> int:
        """Admit an organisation, known to `issuer` by its number; its id."""
        id = self.add(
            Organisation,
            programme_id=PROGRAMME_ID,
            sector_id=sector_id,
            name=organisation.name,
            number=organisation.number,
            version=1,
            **dated(when),
        )
        belongs = {"programme_id": PROGRAMME_ID, "organisation_id": id}
        self.add(OrganisationDomain, **belongs, domain=organisation.domain, verified_at=when)
        self.add(OrganisationIdentity, **belongs, issuer=issuer, value=organisation.number)
        return id

    def person(
        self, when: datetime, person: story.Person, organisation_id: int, sector_id: int, issuer: str
    ) -> Player:
        """Give someone their place in the programme; they join it by `join`."""
        id = self.add(
            Person,
            name=person.name,
            email=person.email,
            language=person.language,
            administrator_since=None,
            disabled_at=None,
            version=1,
            **dated(when),
        )
        self.add(Login, person_id=id, issuer=issuer, subject=f"demo-{id}", created_at=when, used_at=when)
        self.add(
            Membership,
            programme_id=PROGRAMME_ID,
            person_id=id,
            organisation_id=organisation_id,
            sector_id=sector_id,
            role=person.role,
            ended_at=None,
            version=1,
            **dated(when),
        )
        visits = person.email is not None and person.email.endswith("@demo.example")
        return Player(id, organisation_id, sector_id, person.role, visits)

    def join(self, when: datetime, player: Player) -> None:
        """Someone signs in for the first time."""
        self.log(when, "person.joined", player, subject_id=player.id)

    def challenge(
        self, when: datetime, challenge: story.Challenge, sponsor_id: int, stretches: list[Stretch]
    ) -> int:
        """Set a challenge with its phases; its id. The log tells of it by `begin`."""
        id = self.add(
            Challenge,
            programme_id=PROGRAMME_ID,
            sponsor_id=sponsor_id,
            title=challenge.title,
            summary=challenge.summary,
            brief=challenge.brief,
            brief_html=_render(challenge.brief),
            language=challenge.language,
            anonymous_allowed=challenge.anonymous_allowed,
            deleted_at=None,
            version=1,
            **dated(when),
        )
        for phase, starts_at, ends_at in stretches:
            self.add(
                Phase,
                programme_id=PROGRAMME_ID,
                challenge_id=id,
                kind=phase.kind,
                starts_at=starts_at,
                ends_at=ends_at,
                posting=phase.posting,
                commenting=phase.commenting,
                supporting=phase.supporting,
                tallies=phase.tallies,
            )
        return id

    def cluster(self, cluster: story.Cluster, challenge_id: int, position: int) -> int:
        """Make a column of a board; its id. The log tells of it by `begin`."""
        return self.add(
            Cluster,
            programme_id=PROGRAMME_ID,
            challenge_id=challenge_id,
            title=cluster.title,
            language=cluster.language,
            position=position,
        )

    def begin(
        self,
        when: datetime,
        challenge_id: int,
        cluster_ids: list[int],
        coordinator: Player,
        facilitator: Player,
    ) -> None:
        """A challenge is set, and the columns of its board are made."""
        for type in ("challenge.created", "phase.changed"):
            self.log(when, type, coordinator, challenge_id=challenge_id, subject_id=challenge_id)
        for cluster_id in cluster_ids:
            self.log(when, "cluster.created", facilitator, challenge_id=challenge_id, subject_id=cluster_id)

    # the acts

    def post(self, when: datetime, card: Card) -> None:
        """The author posts the idea, as it was before an edit that is still to come."""
        text = card.idea.before or card.idea
        id = self.add(
            Idea,
            programme_id=PROGRAMME_ID,
            challenge_id=card.challenge_id,
            cluster_id=card.cluster_id,
            author_id=card.author.id,
            organisation_id=card.author.organisation_id,
            sector_id=card.author.sector_id,
            title=card.title if text is card.idea else text.title,
            body=text.body,
            body_html=_render(text.body),
            language=card.idea.language,
            anonymous=card.idea.anonymous,
            state=OPEN,
            merged_into_id=None,
            comments=0,
            version=1,
            **dated(when),
        )
        card.row = self.rows[table(Idea)][id - 1]
        self._log_on(when, "idea.posted", card, card.author)

    def write_along(self, when: datetime, card: Card, co_author: Player) -> None:
        """The author takes a co-author."""
        self.put(CoAuthor, idea_id=card.id, person_id=co_author.id, programme_id=PROGRAMME_ID, added_at=when)
        self._log_on(when, "idea.co_authored", card, card.author, subject_id=co_author.id)
        self.tell(when, co_author.id, "co_author_added", idea_id=card.id)

    def edit(self, when: datetime, card: Card) -> None:
        """The author writes the idea as it reads now; what it said is kept."""
        self.add(
            IdeaVersion,
            programme_id=PROGRAMME_ID,
            idea_id=card.id,
            number=card.row["version"],
            title=card.row["title"],
            body=card.row["body"],
            editor_id=card.author.id,
            written_at=card.row["updated_at"],
        )
        body = card.idea.body
        self._turn(when, card, title=card.title, body=body, body_html=_render(body))
        self._log_on(when, "idea.edited", card, card.author)

    def support(self, when: datetime, card: Card, supporter: Player) -> None:
        """Someone supports the idea; twice is once."""
        if supporter.id not in card.supporters:
            self._support(when, card, supporter)
            self._log_on(when, "support.given", card, None)

    def comment(self, when: datetime, card: Card, author: Player, comment: story.Comment) -> None:
        """Someone comments on the idea."""
        id = self.add(
            Comment,
            programme_id=PROGRAMME_ID,
            challenge_id=card.challenge_id,
            idea_id=card.id,
            author_id=author.id,
            organisation_id=author.organisation_id,
            sector_id=author.sector_id,
            body=comment.text,
            body_html=_render(comment.text),
            language=comment.language,
            withdrawn_at=None,
            hidden_at=None,
            hidden_by=None,
            hidden_reason=None,
            version=1,
            **dated(when),
        )
        card.row["comments"] += 1
        self._log_on(when, "comment.posted", card, author, subject_id=id)
        if author is not card.author:
            self.tell(when, card.author.id, "comment_posted", idea_id=card.id, data={"comment_id": id})

    def hide_comment(
        self, when: datetime, card: Card, author: Player, reason: str, facilitator: Player
    ) -> None:
        """A facilitator hides what someone said last of the idea."""
        said = next(
            row
            for row in reversed(self.rows[table(Comment)])
            if (row["idea_id"], row["author_id"]) == (card.id, author.id)
        )
        said.update(
            hidden_at=when, hidden_by=facilitator.id, hidden_reason=reason, version=2, updated_at=when
        )
        card.row["comments"] -= 1
        self._log_on(when, "comment.hidden", card, facilitator, subject_id=said["id"])
        data = {"reason": reason, "comment_id": said["id"]}
        self.tell(when, author.id, "comment_hidden", idea_id=card.id, data=data)

    def pin(self, when: datetime, card: Card, facilitator: Player) -> None:
        """A facilitator puts the idea first."""
        self.put(
            Pin,
            idea_id=card.id,
            programme_id=PROGRAMME_ID,
            challenge_id=card.challenge_id,
            pinned_by=facilitator.id,
            pinned_at=when,
        )
        self._log_on(when, "idea.pinned", card, facilitator)

    def hide(self, when: datetime, card: Card, hiding: story.Hiding, facilitator: Player) -> None:
        """A facilitator hides the idea for a reason."""
        self.add(
            Hiding,
            programme_id=PROGRAMME_ID,
            idea_id=card.id,
            reason=hiding.reason,
            hidden_by=facilitator.id,
            hidden_at=when,
            answer=None,
            answered_at=None,
            lifted_by=None,
            lifted_at=None,
        )
        self._turn(when, card, state=HIDDEN)
        self._log_on(when, "idea.hidden", card, facilitator)
        self.tell(when, card.author.id, "idea_hidden", idea_id=card.id, data={"reason": hiding.reason})

    def answer(self, when: datetime, card: Card, answer: str) -> None:
        """The author answers the hiding."""
        hiding = next(row for row in self.rows[table(Hiding)] if row["idea_id"] == card.id)
        hiding.update(answer=answer, answered_at=when)
        self._log_on(when, "idea.answered", card, card.author)
        data = {"answer": answer}
        self.tell(when, hiding["hidden_by"], "hiding_answered", idea_id=card.id, data=data)

    def withdraw(self, when: datetime, card: Card) -> None:
        """The author takes the idea off the board."""
        self._turn(when, card, state=WITHDRAWN)
        self._log_on(when, "idea.withdrawn", card, card.author)

    def propose_merge(self, when: datetime, source: Card, target: Card, proposer: Player) -> None:
        """The author of one of two ideas asks the other's author to make them one."""
        asked = target.author if proposer is source.author else source.author
        id = self.add(
            Merge,
            programme_id=PROGRAMME_ID,
            challenge_id=source.challenge_id,
            source_id=source.id,
            target_id=target.id,
            proposed_by=proposer.id,
            asked_id=asked.id,
            state=PROPOSED,
            decided_by=None,
            decided_at=None,
            **dated(when),
        )
        data = {"target_id": target.id}
        self._log_on(when, "merge.proposed", source, proposer, subject_id=id, data=data)
        self.tell(when, asked.id, "merge_proposed", idea_id=source.id, merge_id=id)

    def accept_merge(self, when: datetime, source: Card, target: Card, proposer: Player) -> None:
        """The author who was asked agrees: support is united, the source keeps what it had."""
        merge = next(row for row in self.rows[table(Merge)] if row["source_id"] == source.id)
        asked = target.author if proposer is source.author else source.author
        merge.update(state=ACCEPTED, decided_by=asked.id, decided_at=when, updated_at=when)
        carried = [player for id, player in source.supporters.items() if id not in target.supporters]
        for supporter in carried:
            self._support(when, target, supporter, via_id=source.id)
        self._turn(when, source, state=MERGED, merged_into_id=target.id)
        about = {"subject_id": merge["id"], "data": {"target_id": target.id}}
        self._log_on(when, "merge.accepted", source, asked, **about)
        for person_id in source.supporters:
            if person_id not in (source.author.id, target.author.id):
                self.tell(when, person_id, "merge_supporters", idea_id=source.id, merge_id=merge["id"])
        self.tell(when, proposer.id, "merge_accepted", idea_id=source.id, merge_id=merge["id"])

    # the end

    def count(self) -> None:
        """Keep the tallies of all that was supported: a row for every idea and sector, at nought too."""
        people: Counter[tuple[int, int, int]] = Counter()
        sectors = (ALL, *(row["id"] for row in self.rows[table(Sector)]))
        for idea in self.rows[table(Idea)]:
            for sector in sectors:
                people[idea["challenge_id"], idea["id"], sector] = 0
        active = set()
        for row in self.rows[table(Support)]:
            challenge, sector = row["challenge_id"], row["sector_id"]
            people[challenge, row["idea_id"], sector] += 1
            people[challenge, row["idea_id"], ALL] += 1
            active.add((challenge, sector, row["person_id"]))
        for challenge, sector, _ in active:
            people[challenge, ALL, sector] += 1
            people[challenge, ALL, ALL] += 1
        for (challenge, idea_id, sector), number in sorted(people.items()):
            self.put(
                Tally,
                challenge_id=challenge,
                idea_id=idea_id,
                sector_id=sector,
                programme_id=PROGRAMME_ID,
                people=number,
            )

    # for every act

    def add(self, model: Any, **values: Any) -> int:
        """Add a row with a key of its own; the key."""
        rows = self.rows.setdefault(table(model), [])
        id = len(rows) + 1
        rows.append({"id": id, **values})
        return id

    def put(self, model: Any, **values: Any) -> None:
        """Add a row whose key is made of others."""
        self.rows.setdefault(table(model), []).append(values)

    def log(
        self,
        when: datetime,
        type: str,
        actor: Player | None,
        *,
        subject_id: int,
        programme_id: int | None = PROGRAMME_ID,
        challenge_id: int | None = None,
        idea_id: int | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Write into the event log."""
        self.add(
            Event,
            programme_id=programme_id,
            challenge_id=challenge_id,
            idea_id=idea_id,
            type=type,
            actor_id=actor.id if actor else None,
            subject_id=subject_id,
            data=data or {},
            created_at=when,
        )

    def tell(
        self,
        when: datetime,
        person_id: int,
        kind: str,
        *,
        idea_id: int | None = None,
        merge_id: int | None = None,
        ballot_id: int | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Tell someone of it."""
        self.add(
            Notice,
            programme_id=PROGRAMME_ID,
            person_id=person_id,
            kind=kind,
            idea_id=idea_id,
            merge_id=merge_id,
            ballot_id=ballot_id,
            data=data or {},
            created_at=when,
            read_at=when + READ_AFTER if self.now - when > NEW_FOR else None,
        )

    # within

    def _turn(self, when: datetime, card: Card, **values: Any) -> None:
        card.row.update(values, version=card.row["version"] + 1, updated_at=when)

    def _support(self, when: datetime, card: Card, supporter: Player, via_id: int | None = None) -> None:
        card.supporters[supporter.id] = supporter
        self.put(
            Support,
            idea_id=card.id,
            person_id=supporter.id,
            programme_id=PROGRAMME_ID,
            challenge_id=card.challenge_id,
            sector_id=supporter.sector_id,
            via_id=via_id,
            created_at=when,
        )

    def _log_on(
        self,
        when: datetime,
        type: str,
        card: Card,
        actor: Player | None,
        *,
        subject_id: int | None = None,
        data: dict[str, Any] | None = None,
    ) -> None:
        """Log an act on an idea, without the actor where that would show who wrote an anonymous one."""
        own = card.idea.anonymous and actor is card.author
        self.log(
            when,
            type,
            None if own else actor,
            challenge_id=card.challenge_id,
            idea_id=card.id,
            subject_id=subject_id or card.id,
            data=data,
        )


def dated(when: datetime) -> dict[str, datetime]:
    """The times of a row that was written at `when`."""
    return {"created_at": when, "updated_at": when}
