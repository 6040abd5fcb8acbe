"""The ledger as a page and as a file."""

import csv
import io

from sqlalchemy import update

from app.models import Booking, Organisation
from app.services import asking

PAGE = 8


def settle(world):
    world.rules(approvals=("host",), checklist=())
    placement = world.placement(periods=[world.period(places=9)])
    for guest in (world.bob, world.bea):
        world.do(asking.ask, guest, placement, period_id=world.periods(placement)[0].id)
    world.do(lambda tx: tx.execute(update(Booking).values(state="confirmed")))


def test_the_picture_and_the_table_name_organisations_and_no_person(site):
    settle(site.world)
    reader = site.of(site.world.alice)
    with site.statements() as seen:
        page = reader.get("/exchanges/ledger?programme=here")
    assert page.status_code == 200
    assert len(seen) <= PAGE
    assert page.text.count("matrix-dot") == 1
    assert "Business House of Here" in page.text
    assert "Bob Kos" not in page.text


def test_the_file_holds_the_same_and_no_formula(site):
    world = site.world
    settle(world)
    company = update(Organisation).where(Organisation.id == world.organisations["business"])
    world.do(lambda tx: tx.execute(company.values(name="=HYPERLINK(1)")))
    answer = site.of(world.alice).get("/exchanges/ledger.csv?programme=here")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    header, row = csv.reader(io.StringIO(answer.text.removeprefix("\ufeff")))
    assert header == ["from", "to", "stays"]
    assert not row[0].startswith("=")
    assert "HYPERLINK" in row[0]
    assert row[1:] == ["Public administration House of Here", "2"]


def test_it_is_for_members(site):
    settle(site.world)
    for path in ("/exchanges/ledger", "/exchanges/ledger.csv"):
        assert site.nobody.get(f"{path}?programme=here").status_code in (303, 401)
        assert site.of(site.world.charlie).get(f"{path}?programme=here").status_code == 404
