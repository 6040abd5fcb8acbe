"""A board that has not changed is given again; one that has is made anew at once."""

import time

import brotli
import pytest
from sqlalchemy import text

from app.models import Membership
from app.models.base import table
from app.services import ideas, support
from app.web import compression


@pytest.fixture
def board(site):
    site.world.idea(title="The first idea")
    return f"/challenges/{site.world.challenge_id}"


def test_an_unchanged_board_is_not_sent_twice(site, board):
    alice = site.of(site.world.alice)
    first = alice.get(board)
    again = alice.get(board, headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["cache-control"] == "private, no-cache"
    assert "content-security-policy" in again.headers


def test_a_change_shows_on_the_next_look(site, board):
    world = site.world
    alice = site.of(world.alice)
    first = alice.get(board)
    world.idea(world.bob, "The second idea")
    again = alice.get(board, headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 200
    assert "The second idea" in again.text


def test_a_change_by_another_process_shows_on_the_next_look(site, board, database):
    alice = site.of(site.world.alice)
    idea = site.world.idea(title="To be renamed")
    alice.get(board)
    database.write_now(
        lambda tx: tx.execute(text("UPDATE idea SET title = 'Renamed' WHERE id = :id"), {"id": idea})
    )
    assert "Renamed" in alice.get(board).text


def test_ones_own_support_is_on_ones_own_page_alone(site, board):
    world = site.world
    alice, bob = site.of(world.alice), site.of(world.bob)
    idea = world.idea(title="Supported by Bob")
    world.do(support.give, world.bob, idea)
    for _ in range(2):
        assert f'data-mine="{idea}"' in bob.get(board).text
        assert 'data-mine=""' in alice.get(board).text


def test_an_ended_membership_closes_the_kept_page(site, board):
    alice = site.of(site.world.alice)
    assert alice.get(board).status_code == 200
    place = table(Membership)
    site.world.do(
        lambda tx: tx.execute(
            place.update().where(place.c.person_id == site.world.alice.person_id).values(ended_at=tx.now)
        )
    )
    assert alice.get(board).status_code == 404


def test_a_session_that_ended_sees_no_kept_page(site, board):
    alice = site.of(site.world.alice)
    assert alice.get(board).status_code == 200
    site.world.do(lambda tx: tx.execute(text("UPDATE session SET revoked_at = created_at")))
    assert alice.get(board).status_code in (303, 401)


def test_each_language_has_its_own_page(site, board):
    english = site.nobody.client.get("/", headers={"Accept-Language": "en"}).text
    slovene = site.nobody.client.get("/", headers={"Accept-Language": "sl"}).text
    assert '<html lang="en">' in english
    assert '<html lang="sl">' in slovene


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, br", b"br"),
        ("gzip;q=0, br;q=0", b""),
        ("gzip", b"gzip"),
        ("", b""),
        ("zstd, br, gzip", b"zstd"),
        ("x, GZIP", b"gzip"),
    ],
)
def test_the_coding_is_one_that_the_reader_takes(accepted, coding):
    assert compression.coding(accepted.encode()) == coding


def test_a_page_is_packed_as_asked(site, board):
    alice = site.of(site.world.alice)
    plain = alice.get(board, headers={"Accept-Encoding": "identity"})
    packed = alice.get(board, headers={"Accept-Encoding": "br"})
    assert packed.headers["content-encoding"] == "br"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert len(brotli.decompress(packed.content)) if packed.content[:1] != b"<" else packed.text == plain.text


def test_what_an_idea_says_now_is_what_its_card_says(site, board):
    """Cards are drawn once and kept; an edited one is another card."""
    world = site.world
    alice = site.of(world.alice)
    idea = world.idea(title="Before")
    assert "Before" in alice.get(board).text
    world.do(ideas.edit, world.alice, idea, title="After")
    assert "After" in alice.get(board).text
    assert "Before" not in alice.get(board).text


def test_a_phase_that_ends_closes_the_kept_page(site):
    from datetime import timedelta

    from app.lib import clock

    world = site.world
    challenge = world.challenge(ends_at=clock.now() + timedelta(seconds=1.5))
    alice = site.of(world.alice)
    page = f"/challenges/{challenge}"
    assert 'id="quick"' in alice.get(page).text
    time.sleep(1.6)
    assert 'id="quick"' not in alice.get(page).text
