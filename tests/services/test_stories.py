"""Stories: shown to everyone while both sides consent to this very text."""

import pytest
from sqlalchemy import select, update

from app.errors import Conflict, Invalid, Moved, NotAllowed, NotFound
from app.models import Booking, Notice
from app.models.base import table
from app.services import asking, deciding, stories

NOTICE = table(Notice)
STORY = {"title": "A week at the ministry", "body": "We **met**. <script>alert(1)</script>"}


@pytest.fixture
def confirmed(world):
    world.rules(approvals=("host",), checklist=())
    placement = world.placement()
    booking = world.do(asking.ask, world.bob, placement, period_id=world.periods(placement)[0].id)
    world.do(deciding.decide, world.hana, booking, approved=True)
    return booking


@pytest.fixture
def over(world, confirmed):
    ended = update(Booking).where(Booking.id == confirmed).values(state="completed")
    world.do(lambda tx: tx.execute(ended))
    return confirmed


@pytest.fixture
def written(world, over):
    world.do(stories.write, world.bob, over, **STORY)
    return over


def shown(world, actor=None):
    return [row.title for row in world.ask(stories.published, actor or world.alice, world.programme)]


def asked(world, booking):
    query = select(NOTICE.c.person_id).where(
        NOTICE.c.booking_id == booking, NOTICE.c.kind == "story_to_consent"
    )
    return [row.person_id for row in world.ask(lambda c: c.execute(query).all())]


def test_with_both_consents_everyone_in_the_programme_reads_it(world, written):
    assert shown(world) == []
    assert asked(world, written) == [world.hana.person_id]
    world.do(stories.consent, world.hana, written, version=1)
    (story,) = world.ask(stories.published, world.olga, world.programme)
    assert (story.title, story.organisation, story.host) == (
        "A week at the ministry",
        "Business House of Here",
        "Public administration House of Here",
    )
    assert "<strong>met</strong>" in story.text_html
    assert "<script" not in story.text_html
    with pytest.raises(NotAllowed):
        shown(world, world.charlie)


@pytest.mark.parametrize("name", ["bob", "hana"])
def test_either_side_takes_it_back_at_any_time(world, written, name):
    world.do(stories.consent, world.hana, written)
    assert shown(world) == ["A week at the ministry"]
    world.do(stories.withdraw, getattr(world, name), written)
    assert shown(world) == []
    world.do(stories.consent, getattr(world, name), written)
    assert shown(world) == ["A week at the ministry"]


def test_another_text_needs_the_other_consent_again(world, written):
    world.do(stories.consent, world.hana, written)
    world.do(stories.write, world.hana, written, title="Another", body="Another text.")
    assert shown(world) == [], "Bob has not read it"
    assert asked(world, written) == [world.hana.person_id, world.bob.person_id]
    world.do(stories.consent, world.bob, written)
    assert shown(world) == ["Another"]


def test_whoever_consents_consents_to_what_they_read(world, written):
    world.do(stories.write, world.bob, written, title="Changed meanwhile", body="Something else.")
    with pytest.raises(Moved):
        world.do(stories.consent, world.hana, written, version=1)
    assert shown(world) == []


def test_consent_given_twice_counts_once(world, written):
    world.do(stories.consent, world.bob, written)
    assert shown(world) == [], "the writer alone publishes nothing"


def test_only_guest_and_host_tell_it(world, written):
    for verb in (stories.consent, stories.withdraw):
        with pytest.raises(NotAllowed):
            world.do(verb, world.cora, written)
        with pytest.raises(NotFound):
            world.do(verb, world.charlie, written)
    with pytest.raises(NotAllowed):
        world.do(stories.write, world.cora, written, **STORY)


def test_before_the_end_and_without_a_text_there_is_no_story(world, confirmed):
    with pytest.raises(Conflict, match="not over"):
        world.do(stories.write, world.bob, confirmed, **STORY)


def test_there_is_nothing_to_consent_to_before_it_is_written(world, over):
    with pytest.raises(NotFound, match="no story"):
        world.do(stories.consent, world.hana, over)


@pytest.mark.parametrize(
    ("field", "value"),
    [("title", ""), ("title", "x" * 121), ("body", " "), ("body", "x" * 4001), ("language", "xx")],
)
def test_title_text_and_language_are_due(world, over, field, value):
    with pytest.raises(Invalid) as caught:
        world.do(stories.write, world.bob, over, **{**STORY, field: value})
    assert [error.field for error in caught.value.errors] == [field]
