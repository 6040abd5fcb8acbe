"""Imports on pages: a file is brought without a script, tried, done in earnest, and what is refused is told."""

import csv
import io

import pytest
from sqlalchemy import update

from app.integrations import queue
from app.jobs import imports as jobs
from app.jobs.workplace import Workplace
from app.models import Person
from app.services import imports

FILE = "name;sector\nRivers;public\n<b>Alder</b>;nature\n"


@pytest.fixture(autouse=True)
def line(database_url):
    queue.migrate(database_url)


def bring(browser, content=FILE, name="organisations.csv", **values):
    given = {"kind": "organisations", "dry_run": "1"} | values
    fields = {name: value for name, value in given.items() if value is not None}
    file = {"file": (name, content, "application/vnd.ms-excel")} if name is not None else {"x": ("", b"")}
    return browser.post("/admin/imports?programme=here", fields, files=file)


def run(site, path):
    found = int(path.rpartition("/")[2])
    view = site.world.ask(imports.found, found)
    place = Workplace(site.world.database, "http://testserver", "x@localhost", None)
    jobs.run(place, import_id=found, attempt=view.attempt, turn=1)


def test_a_file_is_brought_tried_and_done_in_earnest(site):
    cora = site.of(site.world.cora)
    index = cora.get("/admin/imports")
    assert index.status_code == 200
    assert 'enctype="multipart/form-data"' in index.text
    made = bring(cora)
    assert made.status_code == 303, made.text
    path = made.headers["location"]
    waiting = cora.get(path).text
    assert "The import is on its way" in waiting
    assert 'hx-trigger="every 3s"' in waiting
    run(site, path)
    tried = cora.get(path).text
    assert "Do it in earnest" in tried
    assert "<code>sector</code>: Please choose one of the sectors in the list." in tried
    assert "Alder" not in tried
    assert cora.post(f"{path}/resumption").headers["location"] == path
    again = cora.post(f"{path}/resumption")
    assert (again.status_code, "on its way already" in again.text) == (409, True)
    run(site, path)
    done = cora.get(path).text
    assert "Try the refused rows again" in done
    assert "organisations.csv" in cora.get("/admin/imports").text
    assert "Rivers" in cora.get("/admin/organisations").text
    in_slovene = update(Person).where(Person.id == site.world.cora.person_id).values(language="sl")
    site.world.do(lambda tx: tx.execute(in_slovene))
    assert "<code>sector</code>: Izberite enega od sektorjev" in cora.get(path).text
    site.world.do(lambda tx: tx.execute(in_slovene.values(language="en")))
    assert cora.post(f"{path}/cancellation").status_code == 303
    assert "Forget the file" not in cora.get(path).text
    gone = cora.post(f"{path}/resumption")
    assert (gone.status_code, "bring it again" in gone.text) == (410, True)


@pytest.mark.parametrize(
    ("how", "status", "told"),
    [
        ({"name": None}, 422, "Please choose a file."),
        ({"name": "a.xlsx"}, 422, "ends in .csv"),
        ({"kind": "votes"}, 422, "Please choose one of the list."),
        ({"kind": "ideas", "content": "title\nA\n"}, 422, "into which challenge"),
        ({"content": "name,sektor,ime\n"}, 422, "Column 3 (ime)"),
        ({"content": "name,sector\nČ\n".encode("cp1250")}, 422, "not valid UTF-8 at line 2"),
        ({"content": b""}, 422, "The file is empty."),
        ({"content": b"x" * (imports.MOST_BYTES + 2**20)}, 413, "larger than 10 MB"),
    ],
)
def test_what_cannot_be_taken_comes_back_with_its_reason(site, how, status, told):
    answer = bring(site.of(site.world.cora), **how)
    assert (answer.status_code, told in answer.text) == (status, True), answer.text[-3000:]
    if status == 422:
        assert "Bring a file" in answer.text


def test_a_large_file_comes_from_a_page_of_ours_alone(site):
    cora = site.of(site.world.cora)
    large = "title\n" + "An idea that was written down somewhere\n" * 20_000
    about = {"kind": "ideas", "challenge": str(site.world.challenge_id)}
    assert bring(cora, large, "c:\\ideas\\ideas.csv", **about).status_code == 303
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "", "Origin": "https://evil.example"},
    ):
        file = {"file": ("a.csv", large, "text/csv")}
        assert cora.post("/admin/imports", about, files=file, headers=headers).status_code == 403
    file = {"file": ("a.csv", large, "text/csv")}
    bare = site.client.post("/admin/imports", data=about, files=file, headers=cora.headers)
    assert bare.status_code == 403


def test_only_those_who_coordinate_find_it(site):
    path = bring(site.of(site.world.cora)).headers["location"]
    for someone in (site.world.fay, site.world.charlie):
        browser = site.of(someone)
        assert browser.get(path).status_code == 404
        assert browser.get("/admin/imports?programme=here").status_code == 404
        assert bring(browser).status_code == 404
        assert browser.post(f"{path}/cancellation").status_code == 404
    assert site.nobody.get(path).status_code == 303
    assert "/admin/imports" in site.of(site.world.cora).get("/admin").text


@pytest.mark.parametrize("kind", ["organisations", "people", "ideas", "placements"])
def test_a_table_to_fill_in_has_the_header_that_is_taken(site, kind):
    cora = site.of(site.world.cora)
    answer = cora.get(f"/admin/imports/templates/{kind}.csv")
    assert (answer.status_code, answer.headers["content-type"]) == (200, "text/csv; charset=utf-8")
    header = next(csv.reader(io.StringIO(answer.text.lstrip("\ufeff"))))
    about = {"challenge": str(site.world.challenge_id)}
    made = bring(cora, answer.text + "," * (len(header) - 1), f"{kind}.csv", kind=kind, **about)
    assert made.status_code == 303, made.text
    run(site, made.headers["location"])
    assert "Rows in the file</dt><dd>0</dd>" in cora.get(made.headers["location"]).text


def test_many_refused_rows_come_in_pages(site):
    cora = site.of(site.world.cora)
    path = bring(cora, "name,sector\n" + "".join(f"N{number},x\n" for number in range(150)))
    path = path.headers["location"]
    run(site, path)
    first = cora.get(path).text
    assert (first.count('<th scope="row">'), f"{path}?after=100" in first) == (100, True)
    assert cora.get(f"{path}?after=100").text.count('<th scope="row">') == 50
