"""Bookings by many hands, in any order: what must hold after every step, whatever was asked, decided or let lapse.

Every run of the suite does 20 runs of 30 steps on SQLite and 4 of 25 on PostgreSQL; `make long` does 450 and 50 of 50.
"""

from collections import defaultdict
from contextlib import suppress
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import delete, select, update

from app.errors import Conflict, Gone, Invalid, NotAllowed, NotFound
from app.integrations import seal
from app.lib import clock
from app.lib.days import Span
from app.methods import booking_machine as machine
from app.methods import capacity
from app.models import (
    Booking,
    BookingStep,
    Decision,
    DecisionLink,
    Event,
    ExchangeRules,
    Membership,
    Notice,
    Period,
    Placement,
)
from app.models.base import table
from app.services import (
    asking,
    booking_clock,
    booking_steps,
    deciding,
    exchange_rules,
    moving,
    placement_making,
    taking_back,
)
from app.services.home_managers import Manager
from tests.factories.world import World

BOOKING, STEP, EVENT, NOTICE = (table(each) for each in (Booking, BookingStep, Event, Notice))
LINK, PERIOD = table(DecisionLink), table(Period)
SECOND = timedelta(seconds=1)
PLAIN = {"approvals": ("manager", "host", "coordinator"), "in_order": True, "checklist": ()}
WAYS = (
    PLAIN,
    PLAIN | {"in_order": False},
    PLAIN | {"approvals": ("host",)},
    PLAIN | {"approvals": ()},
    PLAIN | {"approvals": ("coordinator", "manager"), "checklist": exchange_rules.USUAL_CHECKLIST},
)

numbers = st.integers(0, 99)
days_in = st.integers(0, 8)
lengths = st.integers(1, 5)


def having(*states):
    """Only where there is a booking in one of `states`."""
    return precondition(lambda self: self._any(0, states) is not None)


class Town:
    """Five guests from business and three from public offices, a host on each side; weeks and windows overlap."""

    def __init__(self, database):
        self.world = World(database)
        public = [self.world.alice, *self.world.people(2, "public")]
        self.guests = [*self.world.people(4, "business"), self.world.cora, *public]
        two = [self.world.period(0, places=1), self.world.period(1, places=2)]
        window = self.world.period(0, places=2, is_window=True, last_day=self.world.week(1)[1])
        self.places = [
            self.world.placement(periods=two),
            self.world.placement(self.world.henk, periods=[window | {"places": 1}, *two[:1]]),
            self.world.placement(periods=[window]),
        ]
        self.sides = dict(zip(self.places, ("public", "business", "public"), strict=True))
        self.periods = [period for place in self.places for period in self.world.periods(place)]
        self.before = self.world.ask(lambda c: c.execute(select(EVENT.c.id)).scalars().all())[-1]

    def restart(self):
        """All as it was at first, but for the numbers."""

        def work(tx):
            for model in (Notice, Decision, DecisionLink, BookingStep, Booking, ExchangeRules):
                tx.execute(delete(model))
            tx.execute(delete(Event).where(Event.id > self.before))
            tx.execute(update(Membership).values(ended_at=None))
            tx.execute(update(Placement).values(withdrawn_at=None))
            for period in self.periods:
                tx.execute(update(Period).where(Period.id == period.id).values(places=period.places))

        self.world.do(work)


class Bookings(RuleBasedStateMachine):
    """What people, hosts, coordinators and the clock can do; `town` is set by the test."""

    town: Town

    def __init__(self):
        super().__init__()
        self.town.restart()
        self.world = self.town.world
        self.gone = set()
        self._found = None

    # what is done

    @initialize(way=st.sampled_from(WAYS))
    def decide_on_rules(self, way):
        self.world.rules(**way)

    @initialize(periods=st.tuples(numbers, numbers), first=days_in, days=lengths)
    def all_ask(self, periods, first, days):
        for guest in range(len(self.town.guests)):
            for period in periods:
                self.ask(guest, period, first, days, manager=bool(guest % 2))

    @rule(way=st.sampled_from(WAYS))
    def change_rules(self, way):
        self._forget()
        self.world.rules(**way)
        self._look()

    @rule(guest=numbers, period=numbers, first=days_in, days=lengths, manager=st.booleans())
    def ask(self, guest, period, first, days, manager):
        actor = self._at([each for each in self.town.guests if each.person_id not in self.gone], guest)
        side = actor.memberships[self.world.programme_id].sector_key
        period = self._at([p for p in self.town.periods if self.town.sides[p.placement_id] != side], period)
        chosen = Manager(self._colleague(actor)) if manager else Manager(None, "Maja", "maja@example.org")
        named = self._days(period, first, days)
        self._try(asking.ask, actor, period.placement_id, period_id=period.id, manager=chosen, **named)

    @having(*machine.LIVE)
    @rule(number=numbers, who=st.sampled_from(["manager", "host", "coordinator"]), approved=st.booleans())
    def decide(self, number, who, approved):
        booking = self._any(number, machine.LIVE)
        if who == "manager" and booking.manager_id is None:
            self._decide_by_link(booking, approved)
            return
        actor = self._actor(booking, who)
        self._try(deciding.decide, actor, booking.id, approved=approved, role=who, reason="So it is")

    @having("held")
    @rule(number=numbers)
    def approve_what_is_due(self, number):
        booking = self._any(number, ("held",))
        view = self.world.ask(booking_steps.found, booking.id)
        for role in view.asked:
            if role == "manager" and booking.manager_id is None:
                self._decide_by_link(booking, approved=True)
            else:
                self._try(deciding.decide, self._actor(booking, role), booking.id, approved=True, role=role)

    @having("offered")
    @rule(number=numbers)
    def accept(self, number):
        booking = self._any(number, ("offered",))
        self._try(asking.accept, self._person(booking), booking.id)

    @having("offered")
    @rule(number=numbers)
    def pass_on(self, number):
        booking = self._any(number, ("offered",))
        self._try(asking.pass_on, self._person(booking), booking.id)

    @having(*machine.LIVE)
    @rule(number=numbers, period=numbers, first=days_in, days=lengths, by_guest=st.booleans())
    def move(self, number, period, first, days, by_guest):
        booking = self._any(number, machine.LIVE)
        period = self._at([p for p in self.town.periods if p.placement_id == booking.placement_id], period)
        actor = self._person(booking) if by_guest else self.world.cora
        named = self._days(period, first, days)
        self._try(moving.move, actor, booking.id, period_id=period.id, **named)

    @having(*machine.LIVE)
    @rule(number=numbers, who=st.sampled_from(["guest", "host", "coordinator"]))
    def take_back(self, number, who):
        booking = self._any(number, machine.LIVE)
        self._try(taking_back.take_back, self._actor(booking, who), booking.id, reason="It is so")

    @having("offered", "held")
    @rule(number=numbers)
    def let_lapse(self, number):
        booking = self._any(number, ("offered", "held"))
        past = update(Booking).where(Booking.id == booking.id).values(expires_at=clock.now() - SECOND)
        self.world.do(lambda tx: tx.execute(past))
        self._look()

    @rule(number=numbers, places=st.integers(1, 3))
    def change_places(self, number, places):
        period = self._at(self.town.periods, number)
        names = ("id", "first_day", "last_day", "is_window", "places")
        rows = [
            {name: getattr(each, name) for name in names} for each in self.world.periods(period.placement_id)
        ]
        for row in rows:
            row["places"] = places if row["id"] == period.id else row["places"]
        self._try(placement_making.change, self.world.cora, period.placement_id, periods=rows)

    @precondition(lambda self: len(self.gone) < 2)
    @rule(number=st.sampled_from([0, 1, 2, 3, 5, 6, 7]))
    def leave(self, number):
        """Anyone but Cora, who coordinates."""
        person = self.town.guests[number].person_id
        self.gone.add(person)
        ended = update(Membership).where(Membership.person_id == person).values(ended_at=clock.now())
        self.world.do(lambda tx: tx.execute(ended))
        self._look()

    # what must hold

    @invariant()
    def no_day_has_more_guests_than_places(self):
        for period in self._rows(select(PERIOD)):
            taken = [
                Span(b.first_day, b.last_day)
                for b in self._bookings()
                if b.period_id == period.id and b.state in machine.HOLDING
            ]
            assert capacity.most_at_once(taken) <= period.places

    @invariant()
    def nobody_is_in_two_places(self):
        stays = defaultdict(list)
        for booking in self._bookings():
            if booking.state in machine.HOLDING:
                stays[booking.person_id].append(Span(booking.first_day, booking.last_day))
        for mine in stays.values():
            assert capacity.most_at_once(mine) <= 1

    @invariant()
    def no_place_is_free_for_one_who_waits(self):
        """With the order of offers below, this is the line in order: whoever waits cannot be served."""
        bookings = self._bookings()
        places = {row.id: row.places for row in self._rows(select(PERIOD))}
        for waiting in (b for b in bookings if b.state == "waiting"):
            stay = Span(waiting.first_day, waiting.last_day)
            holding = [b for b in bookings if b.state in machine.HOLDING]
            taken = [Span(b.first_day, b.last_day) for b in holding if b.period_id == waiting.period_id]
            is_elsewhere = any(
                b.person_id == waiting.person_id and Span(b.first_day, b.last_day).overlaps(stay)
                for b in holding
            )
            assert is_elsewhere or not capacity.fits(stay, taken, places[waiting.period_id])

    @invariant()
    def the_log_leads_to_the_same_bookings(self):
        events = self._rows(select(EVENT).where(EVENT.c.id > self.town.before).order_by(EVENT.c.id))
        traced = machine.replay(events)
        bookings = self._bookings()
        assert {
            b.id: (b.state, b.period_id, b.first_day.isoformat(), b.last_day.isoformat()) for b in bookings
        } == {key: (t.state, t.period_id, t.first_day, t.last_day) for key, t in traced.items()}
        in_line = [b.id for b in sorted(bookings, key=lambda b: (b.line_at, b.id))]
        assert in_line == sorted(traced, key=lambda key: traced[key].line)

    @invariant()
    def whoever_has_no_stay_was_told_and_why(self):
        steps = {row.booking_id: row for row in self._rows(select(STEP).order_by(STEP.c.id))}
        told = {
            (row.booking_id, row.person_id, row.kind)
            for row in self._rows(select(NOTICE.c.booking_id, NOTICE.c.person_id, NOTICE.c.kind))
        }
        for booking in self._bookings():
            last = steps[booking.id]
            assert last.state == booking.state
            if booking.state not in machine.ENDED:
                continue
            assert last.reason or last.action in ("withdraw", "pass", "expire")
            kinds = {kind for of, whom, kind in told if (of, whom) == (booking.id, booking.person_id)}
            assert last.actor_id == booking.person_id or kinds & ENDINGS[booking.state], last.action

    @invariant()
    def offers_went_to_the_first_who_could_take_them(self):
        """Of those offered and waiting with the very same days, the offered stand before the waiting or those wait
        because they are elsewhere."""
        bookings = self._bookings()
        holding = [b for b in bookings if b.state in machine.HOLDING]
        for later in (b for b in bookings if b.state == "offered"):
            for earlier in (b for b in bookings if b.state == "waiting" and b.period_id == later.period_id):
                same = (earlier.first_day, earlier.last_day) == (later.first_day, later.last_day)
                if not same or (earlier.line_at, earlier.id) > (later.line_at, later.id):
                    continue
                stay = Span(earlier.first_day, earlier.last_day)
                is_elsewhere = any(
                    b.person_id == earlier.person_id and Span(b.first_day, b.last_day).overlaps(stay)
                    for b in holding
                )
                assert is_elsewhere or earlier.id in self._late(later), (earlier.id, later.id)

    # within

    def _late(self, offered):
        """Those who could not take the place when it was offered, but came free, moved here or were back later."""
        rows = self._rows(
            select(EVENT)
            .where(EVENT.c.id > self.town.before, EVENT.c.type.like("booking.%"))
            .order_by(EVENT.c.id)
        )
        at = max(row.id for row in rows if row.subject_id == offered.id and row.type == "booking.offered")
        own = {b.id: b.person_id for b in self._bookings()}
        changed = {own[row.subject_id] for row in rows if row.id > at}
        return {id for id, person in own.items() if person in changed}

    def _try(self, verb, *arguments, **named):
        """Do it, or be told why not."""
        self._forget()
        with suppress(Conflict, Gone, Invalid, NotAllowed, NotFound):
            self.world.do(verb, *arguments, **named)

    def _decide_by_link(self, booking, approved):
        links = self._rows(select(LINK).where(LINK.c.booking_id == booking.id).order_by(LINK.c.id))
        for link in links[-2:]:
            token = seal.link_token(link.id, link.nonce)
            self._try(deciding.decide_by_link, token, approved=approved, reason="By mail")

    def _look(self):
        """What the clock's job does."""
        self._forget()
        last = 0
        while due := self.world.ask(booking_clock.due, after=last):
            for booking in due:
                self.world.do(booking_clock.settle, booking)
            last = due[-1]

    def _rows(self, query):
        return self.world.ask(lambda connection: connection.execute(query).all())

    def _bookings(self):
        if self._found is None:
            self._found = self._rows(select(BOOKING).order_by(BOOKING.c.id))
        return self._found

    def _forget(self):
        self._found = None

    def _any(self, number, states):
        found = [b for b in self._bookings() if b.state in states]
        return self._at(found, number) if found else None

    @staticmethod
    def _at(things, number):
        return things[number % len(things)]

    def _person(self, booking):
        return next(guest for guest in self.town.guests if guest.person_id == booking.person_id)

    def _colleague(self, actor):
        world = self.world
        place = actor.memberships[world.programme_id]
        both = (world.bea, world.bob) if place.sector_key == "business" else (world.ana, world.ana)
        return both[actor.person_id % 2].person_id

    def _actor(self, booking, who):
        world = self.world
        if who == "guest":
            return self._person(booking)
        if who == "coordinator":
            return world.cora
        if who == "manager":
            people = (world.bea, world.bob, world.ana)
            return next((each for each in people if each.person_id == booking.manager_id), world.bea)
        return world.henk if booking.placement_id == self.town.places[1] else world.hana

    @staticmethod
    def _days(period, first, days):
        if not period.is_window:
            return {}
        begin = period.first_day + timedelta(days=first)
        return {"first_day": begin, "last_day": begin + timedelta(days=days - 1)}


ENDINGS = {
    "declined": {"booking_declined"},
    "withdrawn": {"booking_ended", "booking_cancelled"},
    "cancelled": {"booking_ended", "booking_cancelled"},
    "expired": {"booking_expired", "booking_line_over"},
    "passed_on": {"booking_passed_on"},
}


def run(database, runs, steps):
    class Here(Bookings):
        town = Town(database)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=runs,
            stateful_step_count=steps,
            deadline=None,
            database=None,
            print_blob=False,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
        ),
    )


def test_bookings_hold_in_some_orders(database):
    run(database, *((20, 30) if database.is_sqlite else (4, 25)))


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_bookings_hold_in_many_orders(database):
    run(database, 450 if database.is_sqlite else 50, 50)
