"""Every page of exchanges for everyone whom it concerns: nothing that axe-core finds, nothing wider than a phone."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select, update

from app.integrations import queue, seal
from app.jobs import matches as job
from app.jobs.workplace import Workplace
from app.models import Booking, DecisionLink
from app.models.base import table
from app.services import (
    asking,
    deciding,
    match_publishing,
    matches,
    preferences,
    reflections,
    stories,
    wishes,
)
from app.services.home_managers import Manager
from app.services.wishes import WishView
from tests.browser.audit import looked_at, speaking
from tests.browser.browsing import Browsing
from tests.factories.world import World

LANGUAGES = ("en", "sl")
BOOKING = table(Booking)
LINK = table(DecisionLink)
WORDS = "A <b>bold</b> word, and one%sthat is VeryLong" + "Indeed" * 20


@dataclass(frozen=True)
class Things:
    """What the pages show: bookings by their state, a link, runs of a match, placements in each state."""

    bookings: Mapping[str, int]
    placements: Mapping[str, int]
    link: str
    used: str
    runs: tuple[int, ...]
    published: int


@pytest.fixture(scope="module")
def things(site: Any) -> Things:
    world: World = site.world
    world.rules(approvals=("manager", "host", "coordinator"), way="both")
    window = world.period(4, last_day=world.week(9)[1], is_window=True)
    offered = world.placement(
        periods=[*(world.period(number, places=1) for number in range(4)), window],
        title=WORDS[:120],
        description=WORDS,
        confidentiality=WORDS,
        accessibility=WORDS,
        competencies=["Law", "User research"],
        place="Ljubljana",
    )
    placements = {
        "published": offered,
        "proposed": world.placement(published=False),
        "open": world.placement(periods=[world.period(number) for number in range(3)]),
    }
    bookings = _booked(world, offered)
    link, used = _links(world)
    runs, published = _matched(world, site.url, placements["open"])
    return Things(bookings, placements, link, used, runs, published)


def _booked(world: World, offered: int) -> dict[str, int]:
    """A booking in each state that has a page of its own look."""
    periods = world.periods(offered)
    guests = world.people(6, "business")

    def ask(guest: Any, number: int, manager: Manager) -> int:
        period = periods[number].id
        return int(world.do(asking.ask, guest, offered, period_id=period, manager=manager, message=WORDS))

    colleague = Manager(world.bea.person_id)
    found = {"held": ask(world.bob, 0, Manager(None, "Maja Kos", "maja@example.org"))}
    found["waiting"] = ask(guests[0], 0, colleague)
    for name, number in (("approved", 1), ("confirmed", 2), ("reflected", 3)):
        found[name] = ask(guests[number], number, colleague)
        for actor in (world.bea, world.hana, world.cora):
            world.do(deciding.decide, actor, found[name], approved=True, reason=WORDS)
    for name in ("confirmed", "reflected"):
        done = update(BOOKING).where(BOOKING.c.id == found[name]).values(state=name)
        world.do(lambda tx, done=done: tx.execute(done))
    answers = {"learned": WORDS, "surprised": WORDS, "next": WORDS}
    for actor in (guests[3], world.hana):
        world.do(reflections.write, actor, found["reflected"], **answers)
    world.do(stories.write, guests[3], found["reflected"], title="A story", body=WORDS)
    world.do(stories.consent, world.hana, found["reflected"])
    return found


def _links(world: World) -> tuple[str, str]:
    """A link that decides, and one that has decided."""
    query = select(LINK).order_by(LINK.c.id.desc()).limit(1)
    row = world.ask(lambda connection: connection.execute(query).one())
    first = seal.link_token(row.id, row.nonce)
    placement = world.placement()
    period = world.periods(placement)[0].id
    (guest,) = world.people(1, "business")
    world.do(asking.ask, guest, placement, period_id=period, manager=Manager(None, "M", "m@example.org"))
    row = world.ask(lambda connection: connection.execute(query).one())
    used = seal.link_token(row.id, row.nonce)
    world.do(deciding.decide_by_link, used, approved=True)
    return first, used


def _matched(world: World, url: str, placement: int) -> tuple[tuple[int, ...], int]:
    """Runs in each state; the last of them is published."""
    queue.migrate(str(world.database.url))
    place = Workplace(world.database, url, "no-reply@board.test", None)
    for guest in world.people(8, "business"):
        world.do(wishes.state, guest, world.programme, wishes=[WishView(placement_id=placement)])
    world.do(wishes.state, world.bea, world.programme, wishes=[WishView(placement_id=placement)])
    world.do(preferences.state, world.hana, placement, [world.bea.person_id])
    first, last = world.week(-3)[0], world.week(10)[1]

    def start(**values: Any) -> int:
        days = {"first_day": first, "last_day": last}
        return int(world.do(matches.start, world.cora, world.programme, **days, **values))

    waiting, done, stable, published = start(name=WORDS[:100]), start(), start(aim="stable"), start()
    for run in (done, stable, published):
        assert job.run(place, match_id=run) == "done"
    world.do(match_publishing.publish, world.cora, published)
    return (waiting, done, stable, published), published


def of_guest(things: Things) -> list[str]:
    booking, offered = things.bookings["held"], things.placements["published"]
    return [
        "/exchanges",
        "/exchanges?free=1&words=nothing-like-it",
        "/exchanges/calendar",
        f"/placements/{offered}",
        f"/placements/{offered}/bookings/new",
        f"/bookings/{booking}",
        f"/bookings/{booking}/move",
        "/exchanges/mine",
        "/exchanges/inbox",
        "/exchanges/wishes",
        "/exchanges/stories",
        "/exchanges/ledger",
        "/exchanges/feeds",
        "/me",
    ]


def of_matched(things: Things) -> list[str]:
    return [f"/matches/{things.published}/mine", "/exchanges/wishes", "/exchanges/mine"]


def of_host(things: Things) -> list[str]:
    offered = things.placements["published"]
    return [
        *(f"/bookings/{booking}" for booking in things.bookings.values()),
        f"/bookings/{things.bookings['reflected']}/reflection",
        f"/bookings/{things.bookings['reflected']}/story",
        "/exchanges/inbox",
        "/exchanges/offers",
        f"/placements/{offered}",
        f"/placements/{offered}/edit",
        f"/placements/{things.placements['open']}/preferences",
        "/programmes/here/placements/new",
    ]


def of_coordinator(things: Things) -> list[str]:
    first, second = things.runs[1:3]
    return [
        "/exchanges/console",
        "/exchanges/rules",
        "/exchanges/matches",
        *(f"/matches/{run}" for run in things.runs),
        f"/matches/{first}/compare/{second}",
        f"/placements/{things.placements['proposed']}",
        f"/bookings/{things.bookings['held']}",
    ]


PEOPLE: dict[str, Callable[[Things], list[str]]] = {
    "bob": of_guest,
    "bea": of_matched,
    "hana": of_host,
    "cora": of_coordinator,
}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("who", PEOPLE)
def test_pages_of_exchanges_are_whole_for(
    who: str, language: str, browsing: Browsing, things: Things
) -> None:
    page = browsing.page_of(getattr(browsing.world, who))
    with speaking(page, language):
        found = [
            f"{path}: {text}" for path in PEOPLE[who](things) for text in looked_at(page, path, language)
        ]
    assert found == []


@pytest.mark.parametrize("locale", ["en-GB", "sl-SI"])
def test_the_page_of_a_link_is_whole_for_someone_without_an_account(
    locale: str, browsing: Browsing, things: Things
) -> None:
    browsing.witness.expects("410", "404")
    page = browsing.page(locale=locale)
    language = locale[:2]
    found = looked_at(page, f"/decisions/{things.link}", language)
    found += looked_at(page, f"/decisions/{things.used}", language, is_refused=True)
    found += looked_at(page, "/decisions/1.wrong", language, is_refused=True)
    assert found == []
