"""Open data over the API: opened, read and taken back; and the files as everyone gets them."""

import json
from functools import partial
from pathlib import Path

import pyshacl
import rdflib
from rdflib.compare import isomorphic

from app.jobs import open_data as job
from app.jobs.workplace import Workplace
from tests.api.conftest import BASE, Api, is_problem, pointers

DRAFT = {"publisher": 'Office "Č"\\', "contact": "data@example.org", "description": "What\nwe <do>."}
SHAPES = Path(__file__).parent / "dcat_ap"
SH = rdflib.Namespace("http://www.w3.org/ns/shacl#")
LEFT_OPEN = {"spatial", "type"}
"""What DCAT-AP recommends and nobody has told us: of which country the data is, and of which kind its publisher."""


def found_wanting(graph: rdflib.Graph, name: str) -> dict[str, str]:
    """By the property that is missing or wrong, what the profile says of it."""
    shapes = rdflib.Graph().parse(SHAPES / f"{name}.ttl")
    shapes.remove((None, rdflib.OWL.imports, None))
    _, report, _ = pyshacl.validate(graph, shacl_graph=shapes)
    return {
        str(report.value(each, SH.resultPath)).rpartition("/")[2]: str(report.value(each, SH.resultMessage))
        for each in report.subjects(rdflib.RDF.type, SH.ValidationResult)
    }


def opened(api: Api) -> str:
    """The address of the API at which the data of a programme was just opened, its files made."""
    path = f"/programmes/{api.programme_id}/open-data"
    admin = api.of(api.world.cora, "read", "admin")
    before = admin.get(path)
    assert before.json()["is_open"] is False
    answer = admin("PUT", path, json=DRAFT, headers={"If-Match": before.headers["etag"]})
    assert answer.status_code == 200, answer.text
    place = Workplace(api.world.database, BASE, "", None)
    assert job.make(place, api.programme_id)
    return path


def test_it_is_opened_read_and_taken_back(api: Api) -> None:
    path = opened(api)
    api.world.idea()
    admin = api.of(api.world.cora, "read", "admin")
    told = api.charlie.get(path)
    assert told.json() | {"opened_at": 0, "made_at": 0, "files": 0} == {
        "programme": api.programme_id,
        "url": f"{BASE}/programmes/here/open-data",
        "is_open": True,
        "licence": "CC-BY-4.0",
        **DRAFT,
        "with_texts": False,
        "opened_at": 0,
        "made_at": 0,
        "files": 0,
        "version": 1,
    }
    assert len(told.json()["files"]) == 10
    for file in told.json()["files"]:
        answer = api.client.get(file["url"])
        assert answer.status_code == 200
        assert len(answer.content) == file["size_bytes"]
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["cache-control"] == "public, no-cache, no-transform"
        again = api.client.get(file["url"], headers={"If-None-Match": answer.headers["etag"]})
        assert (again.status_code, again.content) == (304, b"")
    put = partial(admin, "PUT", path)
    assert is_problem(put(json=DRAFT), 428, "precondition-required")
    assert is_problem(put(json=DRAFT, headers={"If-Match": '"7-0123456789abcdef"'}), 412, "version-moved-on")
    wrong = put(json=DRAFT | {"licence": "MIT", "contact": "me", "more": 1}, headers={"If-Match": "*"})
    assert is_problem(wrong, 422, "invalid")
    assert sorted(pointers(wrong)) == ["/licence", "/more"]
    assert pointers(put(json=DRAFT | {"contact": "nobody"}, headers={"If-Match": "*"})) == ["/contact"]
    assert is_problem(api.cora("PUT", path, json=DRAFT), 403, "insufficient-scope")
    of_alice = api.of(api.world.alice, "admin")
    assert is_problem(of_alice("PUT", path, json=DRAFT, headers={"If-Match": "*"}), 403, "not-allowed")
    assert is_problem(of_alice.delete(path, "*"), 403, "not-allowed")
    assert admin.delete(path, told.headers["etag"]).status_code == 204
    assert admin.get(path).json()["files"] == []
    for name in ("", "/ideas.csv", "/catalogue.ttl"):
        assert api.client.get(f"/programmes/here/open-data{name}").status_code == 404


def test_the_catalogue_is_dcat_ap_and_the_same_in_both_forms(api: Api) -> None:
    opened(api)
    address = f"{BASE}/programmes/here/open-data"
    as_json, as_turtle = (api.client.get(f"{address}/catalogue.{form}") for form in ("jsonld", "ttl"))
    assert as_json.headers["content-type"] == "application/ld+json"
    assert as_turtle.headers["content-type"] == "text/turtle; charset=utf-8"
    again = api.client.get(f"{address}/catalogue.ttl", headers={"If-None-Match": as_turtle.headers["etag"]})
    assert again.status_code == 304
    graphs = [
        rdflib.Graph().parse(data=answer.text, format=form)
        for answer, form in ((as_json, "json-ld"), (as_turtle, "turtle"))
    ]
    assert isomorphic(*graphs)
    assert found_wanting(graphs[0], "shapes") == found_wanting(graphs[0], "range") == {}
    assert found_wanting(graphs[0], "shapes_recommended").keys() == LEFT_OPEN
    dcat, foaf = (
        rdflib.Namespace("http://www.w3.org/ns/dcat#"),
        rdflib.Namespace("http://xmlns.com/foaf/0.1/"),
    )
    named = {str(name) for name in graphs[1].objects(predicate=foaf.name)}
    assert named == {DRAFT["publisher"]}
    described = set(graphs[1].objects(rdflib.URIRef(f"{address}#catalogue"), rdflib.DCTERMS.description))
    assert described == {rdflib.Literal(DRAFT["description"], lang="en")}
    for file in graphs[0].objects(predicate=dcat.downloadURL):
        assert api.client.get(str(file)).status_code == 200
    assert len(list(graphs[0].objects(predicate=dcat.downloadURL))) == 10
    # and these shapes see what is missing
    graphs[0].remove((None, dcat.accessURL, None))
    graphs[0].remove((None, dcat.keyword, None))
    assert found_wanting(graphs[0], "shapes").keys() == {"dcat#accessURL"}
    assert found_wanting(graphs[0], "shapes_recommended").keys() == {*LEFT_OPEN, "dcat#keyword"}
    assert api.client.get(f"{address}/catalogue.pdf").status_code == 404
    assert json.loads(as_json.text)["@context"]["dcat"] == str(dcat)
