"""What waits for someone, in all programmes in which they take part."""

from dataclasses import replace

import pytest

from app.errors import NotSignedIn
from app.policies.actor import ANONYMOUS
from app.services import inbox, merges


def test_it_names_what_one_has_to_act_on_and_nothing_of_where_one_takes_no_part(world):
    merge = world.do(merges.propose, world.bob, world.idea(world.bob, "One"), world.idea(world.bea, "Two"))
    ballot = world.ballot()
    found = world.ask(inbox.of, world.bea)
    assert [each.id for each in found.merges] == [merge]
    assert [each.id for each in found.ballots] == [ballot]
    assert found.bookings == ()
    elsewhere = replace(world.bea, memberships={}, assignments=())
    nothing = world.ask(inbox.of, elsewhere)
    assert (nothing.merges, nothing.ballots, nothing.bookings) == ((), (), ())
    with pytest.raises(NotSignedIn):
        world.ask(inbox.of, ANONYMOUS)
