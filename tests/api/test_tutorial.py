"""The tutorial of the API, taken twice against a running server: as it is written, and with a generated client."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.api import generated, tutorial
from tests.fuzz.running import Place, running

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def place(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """A running server with the demo in it."""
    directory = tmp_path_factory.mktemp("tutorial")
    shutil.copy(sqlite_template, directory / "demo.db")
    with running(f"sqlite:///{directory / 'demo.db'}", directory) as found:
        yield found


@pytest.mark.parametrize("own", [False, True], ids=["tools of the system", "tools of our own"])
def test_each_step_of_the_tutorial_does_what_it_shows(place: Place, own: bool, tmp_path: Path) -> None:
    shell = tutorial.Shell(tmp_path, place.base_url, place.environment, own=own)
    taken = tutorial.steps()
    assert sum(step.kind != "" for step in taken) == 10
    wrong = []
    for number, step in enumerate(taken):
        printed = shell.run(step.commands)
        if step.kind:
            wrong += [f"step {number}: {found}" for found in tutorial.differences(step, printed)]
    assert wrong == []


def test_a_generated_client_takes_the_same_ten_steps(
    place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = generated.Client(place.base_url, place.tokens["business"], tmp_path, monkeypatch)
    assert client.missing() == []
    settings = client.shape("SettingsDraft")(seats=3)
    assert client.shape("BallotChange")(settings=settings).to_dict() == {"settings": {"seats": 3}}

    me = client("GET", "/people/me")
    assert me.parsed.memberships[0].sector == "business"
    programme = me.parsed.memberships[0].programme

    page = client("GET", "/programmes/{programme_id}/challenges", programme_id=programme, limit=1)
    assert (len(page.parsed.items), page.parsed.items[0].phase) == (1, "ideation")
    further = client(
        "GET", "/programmes/{programme_id}/challenges", programme_id=programme, cursor=page.parsed.next_
    )
    challenge = page.parsed.items[0].id
    assert challenge not in {item.id for item in further.parsed.items}

    board = "/challenges/{challenge_id}/ideas"
    refused = client("POST", board, challenge_id=challenge, body={"title": "t", "cluster": 999_999})
    assert (refused.status_code, refused.parsed.errors[0].pointer) == (422, "/cluster")

    named = {"challenge_id": challenge, "idempotency_key": "generated-1"}
    posted = client("POST", board, body={"title": "Ask those who stay"}, **named)
    again = client("POST", board, body={"title": "Ask those who stay"}, **named)
    assert (posted.status_code, again.parsed, again.headers["idempotency-replayed"]) == (
        201,
        posted.parsed,
        "true",
    )

    read = client("GET", "/ideas/{idea_id}", idea_id=posted.parsed.id)
    tag = read.headers["etag"]
    assert (read.parsed.tally.total, read.parsed.tally.sectors["public"], read.parsed.supported) == (
        0,
        0,
        False,
    )
    assert client("GET", "/ideas/{idea_id}", idea_id=posted.parsed.id, if_none_match=tag).status_code == 304

    edit = {"idea_id": posted.parsed.id, "if_match": tag}
    changed = client("PATCH", "/ideas/{idea_id}", body={"body": "They **know**."}, **edit)
    assert (changed.parsed.version, changed.parsed.body_html) == (2, "<p>They <strong>know</strong>.</p>\n")
    assert client("PATCH", "/ideas/{idea_id}", body={"body": "Late."}, **edit).status_code == 412

    where = "/programmes/{programme_id}/placements"
    places = client("GET", where, programme_id=programme, sector="public", words="portal")
    placement = places.parsed.items[0]
    asked = {
        "period": placement.periods[-1].id,
        "manager": {"name": "Mira Hren", "email": "mira@kobilar.example"},
    }
    booked = client("POST", "/placements/{placement_id}/bookings", placement_id=placement.id, body=asked)
    assert (booked.status_code, booked.parsed.state) == (201, "held")

    steps = client("GET", "/bookings/{booking_id}/steps", booking_id=booked.parsed.id)
    assert [step.state for step in steps.parsed.items] == ["held"]
