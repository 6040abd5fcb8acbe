"""Open data, exports, feeds and previews on pages: who sees which, and that private pages tell nothing."""

import csv
import io
import json
import re

import openpyxl
from sqlalchemy import update

from app.jobs import open_data as job
from app.jobs.workplace import Workplace
from app.models import Challenge, Programme

FIELDS = {
    "publisher": "Office <b>",
    "contact": "data@example.org",
    "licence": "CC0-1.0",
    "description": "What </script> we do.",
    "version": "0",
}
FORM = "/admin/open-data?programme=here"


def tags(page: str) -> dict[str, str]:
    return dict(re.findall(r'<meta property="(og:[\w:]+)" content="([^"]*)">', page))


def data(page: str) -> dict:
    (found,) = re.findall(r'<script type="application/ld\+json">(.*?)</script>', page, re.DOTALL)
    return json.loads(found)


def test_a_coordinator_opens_data_everyone_reads_it_and_it_is_taken_back(site):
    world = site.world
    browser = site.of(world.cora)
    page = browser.get(FORM).text
    assert "Open to everyone" in page
    assert "Close open data" not in page
    wrong = browser.post(FORM, FIELDS | {"contact": "nobody", "publisher": " "})
    assert wrong.status_code == 422
    assert "Please write a mail address such as name@example.org." in wrong.text
    assert "What &lt;/script&gt; we do." in wrong.text
    assert site.nobody.get("/programmes/here/open-data").status_code == 404
    answer = browser.post(FORM, FIELDS)
    assert (answer.status_code, answer.headers["location"]) == (303, "/programmes/here/open-data")
    assert browser.post(FORM, FIELDS).status_code == 412
    assert "The files are being made." in site.nobody.get("/programmes/here/open-data").text
    world.idea()
    job.make(Workplace(world.database, "http://testserver", "", None), world.programme_id)
    with site.statements() as seen:
        page = site.nobody.get("/programmes/here/open-data").text
    assert len(seen) <= 4
    assert "Office &lt;b&gt;" in page
    assert page.count(" download>") == 10
    assert tags(page)["og:url"] == "http://testserver/programmes/here/open-data"
    told = data(page)
    assert told["description"] == "What </script> we do."
    assert len(told["dataset"]) == 5
    assert "Change or take back" not in page
    for name in re.findall(r'href="(/programmes/here/open-data/[^"]+)"', page):
        assert site.nobody.get(name).status_code == 200, name
    assert "Change or take back" in browser.get("/programmes/here/open-data").text
    assert "/programmes/here/open-data" in site.nobody.get("/programmes/here").text
    assert browser.post("/admin/open-data/closure?programme=here").status_code == 303
    assert site.nobody.get("/programmes/here/open-data").status_code == 404
    assert site.nobody.get("/programmes/here/open-data/ideas.csv").status_code == 404


def test_nobody_else_opens_or_closes(site):
    world = site.world
    for actor in (world.alice, world.fay, world.sam, world.charlie):
        browser = site.of(actor)
        assert browser.get(FORM).status_code == 403
        assert browser.post(FORM, FIELDS).status_code == 403
        assert browser.post("/admin/open-data/closure?programme=here").status_code == 403
    assert site.nobody.post(FORM, FIELDS).status_code == 401


def test_a_public_page_tells_of_itself_and_a_private_one_does_not(site):
    world = site.world
    hostile = {"title": '"><script>alert(1)</script>', "summary": "</script><b>"}
    challenge = update(Challenge).where(Challenge.id == world.challenge_id).values(**hostile)
    world.do(lambda tx: tx.execute(challenge))
    page = site.nobody.get("/programmes/here").text
    assert tags(page) | {"og:image": ""} == {
        "og:type": "website",
        "og:site_name": "Partnership for Change",
        "og:title": "Here",
        "og:description": "Here",
        "og:url": "http://testserver/programmes/here",
        "og:locale": "en_GB",
        "og:image": "",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "A bridge between two banks",
    }
    image = site.nobody.get(tags(page)["og:image"].removeprefix("http://testserver"))
    assert image.headers["content-type"] == "image/png"
    assert '<link rel="canonical" href="http://testserver/programmes/here">' in page
    assert 'type="application/atom+xml"' in page
    (told,) = data(page)["mainEntity"]["itemListElement"]
    assert (told["item"]["name"], told["item"]["abstract"]) == (hostile["title"], hostile["summary"])
    first = site.nobody.get("/").text
    assert (tags(first)["og:url"], data(first)["@type"]) == ("http://testserver/", "WebSite")
    for public in ("/privacy", "/accessibility", "/api/v1/docs"):
        assert tags(site.nobody.get(public).text)["og:url"] == f"http://testserver{public}"
    idea = world.idea()
    member = site.of(world.alice)
    for private in (f"/challenges/{world.challenge_id}", f"/ideas/{idea}", "/me", "/programmes/here/people"):
        shown = member.get(private).text
        assert "og:" not in shown
        assert "ld+json" not in shown
        answer = site.nobody.get(private)
        assert answer.status_code == 303
        assert "Forms that ask" not in answer.text
    programme = update(Programme).where(Programme.id == world.programme_id).values(visibility="members")
    world.do(lambda tx: tx.execute(programme))
    assert "og:" not in member.get("/programmes/here").text
    assert "ld+json" not in member.get("/programmes/here").text
    assert site.nobody.get("/programmes/here").status_code == 404


def test_members_take_along_what_they_read(site):
    world = site.world
    board = world.challenge(anonymous_allowed=True)
    world.idea(world.alice, "=1+1", board)
    world.idea(world.bob, "Elsewhere")
    member = site.of(world.olga)
    page = member.get("/programmes/here/exports").text
    assert page.count(" download>") == 15
    for address in re.findall(r'href="(/programmes/here/exports/[^"]+)"', page):
        assert member.get(address).status_code == 200, address
    board_page = member.get(f"/challenges/{board}").text
    address = f"/programmes/here/exports/ideas.csv?challenge={board}"
    assert address in board_page
    answer = member.get(address)
    assert answer.headers["content-disposition"] == f'attachment; filename="ideas-here-{board}.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.content.decode("utf-8-sig"), newline="")))
    assert [row["title"] for row in rows] == ["'=1+1"]
    book = openpyxl.load_workbook(io.BytesIO(member.get(address.replace("csv", "xlsx", 1)).content))
    assert book["ideas"]["D2"].value == "=1+1"
    assert book["ideas"]["D2"].data_type == "s"
    for wrong in ("people.csv", "ideas.pdf", "ideas.csv?challenge=x", "ideas.csv?challenge=999999"):
        assert member.get(f"/programmes/here/exports/{wrong}").status_code == 404, wrong
    assert member.get(f"/programmes/here/exports/exchanges.csv?challenge={board}").status_code == 422
    assert site.of(world.charlie).get("/programmes/here/exports/ideas.csv").status_code == 403
    assert site.of(world.charlie).get("/programmes/here/exports").status_code == 403
    assert site.nobody.get("/programmes/here/exports/ideas.csv").status_code == 303
