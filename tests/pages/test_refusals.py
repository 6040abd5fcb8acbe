"""What is refused leaves a line in the log, and none of anyone's words in it."""

import json
import logging

import pytest


@pytest.fixture
def lines(caplog):
    caplog.set_level(logging.INFO)
    return lambda: [record.msg for record in caplog.records if "refused" in str(record.msg)]


def test_what_is_not_allowed_leaves_a_line_in_the_log(site, lines):
    world = site.world
    board = world.challenge_id
    assert site.of(world.alice).get(f"/challenges/{board}/phases?secret=of-mine").status_code == 403
    (line,) = lines()
    assert (line["event"], line["problem"], line["method"]) == ("refused", "not-allowed", "GET")
    assert (line["route"], line["person_id"]) == ("/challenges/{id:key}/phases", world.alice.person_id)
    assert "of-mine" not in json.dumps(line, default=str)
    assert "Alice" not in json.dumps(line, default=str)


def test_a_forged_form_leaves_a_line_in_the_log(site, lines):
    site.of(site.world.alice).post("/me/notices/reading", headers={"Sec-Fetch-Site": "cross-site"})
    (line,) = lines()
    assert (line["problem"], line["person_id"]) == ("not-allowed", None)


def test_what_is_allowed_or_missing_leaves_none(site, lines):
    alice = site.of(site.world.alice)
    assert alice.get("/me").status_code == 200
    assert alice.get("/challenges/99999").status_code == 404
    assert lines() == []
