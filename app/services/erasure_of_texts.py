"""The texts of someone who is erased: those that were theirs alone go, those that others answered stay nameless."""

from typing import Any, Final

from sqlalchemy import delete, exists, or_, select, text, update

from app.database import Transaction
from app.models import (
    Agreement,
    Booking,
    BookingStep,
    CoAuthor,
    Comment,
    Decision,
    DecisionLink,
    Hiding,
    Idea,
    IdeaVersion,
    Interest,
    Merge,
    Notice,
    Objection,
    Reflection,
    Story,
)
from app.models.base import table
from app.models.idea import MERGED, WITHDRAWN
from app.models.merge import DECLINED, PROPOSED
from app.services import notices
from app.services.events import record

AGREEMENT = table(Agreement)
BOOKING = table(Booking)
BOOKING_STEP = table(BookingStep)
CO_AUTHOR = table(CoAuthor)
COMMENT = table(Comment)
DECISION = table(Decision)
DECISION_LINK = table(DecisionLink)
HIDING = table(Hiding)
IDEA = table(Idea)
IDEA_VERSION = table(IdeaVersion)
INTEREST = table(Interest)
MERGE = table(Merge)
NOTICE = table(Notice)
OBJECTION = table(Objection)
REFLECTION = table(Reflection)
STORY = table(Story)

NOTHING: Final = "—"
"""What stands for a text that may not be empty."""


def empty(tx: Transaction, person_id: int, *, with_texts: bool) -> None:
    """Empty what a person wrote of themselves; `with_texts`: their ideas and comments as well."""
    _of_stays(tx, person_id)
    _of_boards(tx, person_id)
    if with_texts:
        _ideas(tx, person_id)
        _comments(tx, person_id)
    if tx.dialect == "sqlite":
        # Words of rows that were changed or deleted stay in the index until its parts are merged.
        tx.execute(text("INSERT INTO idea_search(idea_search) VALUES ('optimize')"))


def _of_stays(tx: Transaction, person_id: int) -> None:
    """What was said of a person's stays is of no use without the person; who hosted keeps their own reflection."""
    own = select(BOOKING.c.id).where(BOOKING.c.person_id == person_id)
    _forget_reasons(tx, own)
    tx.execute(
        update(BOOKING)
        .where(BOOKING.c.person_id == person_id)
        .values(message="", manager_name="", manager_email="", manager_id=None)
    )
    before = BOOKING_STEP.c.booking_id.in_(own), BOOKING_STEP.c.taken_at < tx.now
    tx.execute(update(BOOKING_STEP).where(*before).values(reason=""))
    tx.execute(update(DECISION).where(DECISION.c.booking_id.in_(own)).values(reason="", decided_as=""))
    of_links = DECISION_LINK.c.booking_id.in_(own)
    tx.execute(update(DECISION_LINK).where(of_links).values(name="", email="", revoked_at=tx.now))
    answered = or_(AGREEMENT.c.agreed_by == person_id, AGREEMENT.c.booking_id.in_(own))
    tx.execute(update(AGREEMENT).where(answered).values(answer=""))
    reflected = REFLECTION.c.written_by == person_id
    tx.execute(update(REFLECTION).where(reflected).values(learned="", surprised="", next=""))
    tx.execute(delete(STORY).where(or_(STORY.c.written_by == person_id, STORY.c.booking_id.in_(own))))


def _forget_reasons(tx: Transaction, bookings: Any) -> None:
    """Take people's words about these bookings out of what others were told; our own sentences stay."""
    reasons = select(BOOKING_STEP.c.reason).where(
        BOOKING_STEP.c.booking_id.in_(bookings), BOOKING_STEP.c.reason != "", BOOKING_STEP.c.taken_at < tx.now
    )
    decided = select(DECISION.c.reason).where(DECISION.c.booking_id.in_(bookings), DECISION.c.reason != "")
    said = {*tx.execute(reasons).scalars(), *tx.execute(decided).scalars()}
    _forget_words(tx, NOTICE.c.booking_id.in_(bookings), said)


def _forget_words(tx: Transaction, which: Any, said: set[str]) -> None:
    """Take texts out of what notices were filled with."""
    if not said:
        return
    for notice in tx.execute(select(NOTICE.c.id, NOTICE.c.data).where(which)).all():
        kept = {name: "" if value in said else value for name, value in notice.data.items()}
        if kept != notice.data:
            tx.execute(update(NOTICE).where(NOTICE.c.id == notice.id).values(data=kept))


def _of_boards(tx: Transaction, person_id: int) -> None:
    own = select(IDEA.c.id).where(IDEA.c.author_id == person_id)
    answers = select(HIDING.c.answer).where(HIDING.c.idea_id.in_(own), HIDING.c.answer.is_not(None))
    said = {answer for answer in tx.execute(answers).scalars() if answer}
    _forget_words(tx, NOTICE.c.idea_id.in_(own), said)
    tx.execute(update(HIDING).where(HIDING.c.idea_id.in_(own)).values(answer=None))
    tx.execute(delete(CO_AUTHOR).where(CO_AUTHOR.c.person_id == person_id))
    tx.execute(update(OBJECTION).where(OBJECTION.c.person_id == person_id).values(reason=""))
    tx.execute(update(INTEREST).where(INTEREST.c.person_id == person_id).values(statement=NOTHING))
    _decline_merges(tx, person_id)


def _decline_merges(tx: Transaction, person_id: int) -> None:
    """Whoever is asked and will never answer does not consent; proposers are told."""
    asked = select(MERGE).where(MERGE.c.asked_id == person_id, MERGE.c.state == PROPOSED)
    for merge in tx.execute(asked.order_by(MERGE.c.id)).all():
        tx.execute(
            update(MERGE)
            .where(MERGE.c.id == merge.id)
            .values(state=DECLINED, decided_at=tx.now, updated_at=tx.now)
        )
        about = {"programme_id": merge.programme_id, "idea_id": merge.source_id}
        notices.tell(tx, [merge.proposed_by], "merge_declined", merge_id=merge.id, **about)
        told = {"target_id": merge.target_id}
        record(
            tx,
            "merge.declined",
            None,
            challenge_id=merge.challenge_id,
            subject_id=merge.id,
            data=told,
            **about,
        )


def _ideas(tx: Transaction, person_id: int) -> None:
    """Take back the ideas that a person wrote alone, with all that they said before."""
    with_others = exists().where(CO_AUTHOR.c.idea_id == IDEA.c.id)
    alone = select(IDEA).where(IDEA.c.author_id == person_id, ~with_others)
    for idea in tx.execute(alone.order_by(IDEA.c.id)).all():
        tx.execute(
            update(IDEA)
            .where(IDEA.c.id == idea.id)
            .values(
                title=NOTHING,
                body="",
                body_html="",
                state=idea.state if idea.state == MERGED else WITHDRAWN,
                version=idea.version + 1,
                updated_at=tx.now,
            )
        )
        tx.execute(delete(IDEA_VERSION).where(IDEA_VERSION.c.idea_id == idea.id))
        tx.execute(update(HIDING).where(HIDING.c.idea_id == idea.id).values(reason=NOTHING))
        _withdrawn(tx, "idea.withdrawn", idea, idea.id, None)


def _comments(tx: Transaction, person_id: int) -> None:
    """Take back a person's comments; what others answered them stays."""
    own = select(COMMENT).where(COMMENT.c.author_id == person_id)
    for comment in tx.execute(own.order_by(COMMENT.c.id)).all():
        tx.execute(
            update(COMMENT)
            .where(COMMENT.c.id == comment.id)
            .values(
                body="",
                body_html="",
                hidden_reason=None if comment.hidden_reason is None else NOTHING,
                withdrawn_at=comment.withdrawn_at or tx.now,
                version=comment.version + 1,
                updated_at=tx.now,
            )
        )
        if comment.withdrawn_at is None and comment.hidden_at is None:
            shown = IDEA.c.comments - 1
            tx.execute(update(IDEA).where(IDEA.c.id == comment.idea_id).values(comments=shown))
        if comment.withdrawn_at is None:
            _withdrawn(tx, "comment.withdrawn", comment, comment.idea_id, comment.id)


def _withdrawn(tx: Transaction, type: str, of: Any, idea_id: int, subject_id: int | None) -> None:
    """Record it without the actor, who may have written without a name."""
    record(
        tx,
        type,
        None,
        programme_id=of.programme_id,
        challenge_id=of.challenge_id,
        idea_id=idea_id,
        subject_id=subject_id or idea_id,
    )
