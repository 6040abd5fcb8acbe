"""Open data over the API: opened, read and taken back; and the files as everyone gets them."""

import json
from functools import partial

import pyshacl
import rdflib
from rdflib.compare import isomorphic

from app.jobs import open_data as job
from app.jobs.workplace import Workplace
from tests.api.conftest import BASE, Api, is_problem, pointers

DRAFT = {"publisher": 'Office "Č"\\', "contact": "data@example.org", "description": "What\nwe <do>."}
SHAPES = """
@prefix sh: <http://www.w3.org/ns/shacl#> .
@prefix dcat: <http://www.w3.org/ns/dcat#> .
@prefix dct: <http://purl.org/dc/terms/> .
@prefix foaf: <http://xmlns.com/foaf/0.1/> .
@prefix vcard: <http://www.w3.org/2006/vcard/ns#> .
@prefix xsd: <http://www.w3.org/2001/XMLSchema#> .
@prefix ex: <http://example.org/> .

ex:Text sh:or ([sh:datatype xsd:string] [sh:datatype <http://www.w3.org/1999/02/22-rdf-syntax-ns#langString>]) .

ex:Catalogue a sh:NodeShape ; sh:targetClass dcat:Catalog ;
  sh:property [sh:path dct:title ; sh:minCount 1 ; sh:node ex:Text ; sh:uniqueLang true] ;
  sh:property [sh:path dct:description ; sh:minCount 1 ; sh:node ex:Text ; sh:uniqueLang true] ;
  sh:property [sh:path dct:publisher ; sh:minCount 1 ; sh:maxCount 1 ; sh:node ex:Agent] ;
  sh:property [sh:path dcat:dataset ; sh:minCount 1 ; sh:class dcat:Dataset] ;
  sh:property [sh:path dct:license ; sh:maxCount 1 ; sh:nodeKind sh:IRI ; sh:class dct:LicenseDocument] ;
  sh:property [sh:path foaf:homepage ; sh:maxCount 1 ; sh:class foaf:Document] ;
  sh:property [sh:path dct:issued ; sh:maxCount 1 ; sh:datatype xsd:dateTime] ;
  sh:property [sh:path dct:modified ; sh:maxCount 1 ; sh:datatype xsd:dateTime] .

ex:Agent a sh:NodeShape ; sh:targetClass foaf:Agent ;
  sh:property [sh:path foaf:name ; sh:minCount 1 ; sh:node ex:Text] .

ex:Dataset a sh:NodeShape ; sh:targetClass dcat:Dataset ;
  sh:property [sh:path dct:title ; sh:minCount 1 ; sh:node ex:Text ; sh:uniqueLang true] ;
  sh:property [sh:path dct:description ; sh:minCount 1 ; sh:node ex:Text ; sh:uniqueLang true] ;
  sh:property [sh:path dcat:contactPoint ; sh:minCount 1 ; sh:class vcard:Kind] ;
  sh:property [sh:path dcat:distribution ; sh:minCount 2 ; sh:class dcat:Distribution] ;
  sh:property [sh:path dcat:theme ; sh:minCount 1 ; sh:nodeKind sh:IRI] ;
  sh:property [sh:path dct:accrualPeriodicity ; sh:maxCount 1 ; sh:class dct:Frequency] ;
  sh:property [sh:path dct:accessRights ; sh:maxCount 1 ; sh:class dct:RightsStatement] ;
  sh:property [sh:path dct:publisher ; sh:maxCount 1 ; sh:class foaf:Agent] .

ex:Distribution a sh:NodeShape ; sh:targetClass dcat:Distribution ;
  sh:property [sh:path dcat:accessURL ; sh:minCount 1 ; sh:nodeKind sh:IRI] ;
  sh:property [sh:path dcat:downloadURL ; sh:nodeKind sh:IRI] ;
  sh:property [sh:path dct:license ; sh:minCount 1 ; sh:maxCount 1 ; sh:class dct:LicenseDocument] ;
  sh:property [sh:path dct:format ; sh:minCount 1 ; sh:maxCount 1 ; sh:class dct:MediaTypeOrExtent] ;
  sh:property [sh:path dcat:mediaType ; sh:maxCount 1 ; sh:nodeKind sh:IRI] ;
  sh:property [sh:path dcat:byteSize ; sh:maxCount 1 ; sh:datatype xsd:nonNegativeInteger] .
"""
"""What DCAT-AP 3 makes mandatory, and of what it recommends that which we give; after its tables of properties."""


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
    shapes = rdflib.Graph().parse(data=SHAPES, format="turtle")
    for graph in graphs:
        holds, _, why = pyshacl.validate(graph, shacl_graph=shapes)
        assert holds, why
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
    assert not pyshacl.validate(graphs[0], shacl_graph=shapes)[0]
    assert api.client.get(f"{address}/catalogue.pdf").status_code == 404
    assert json.loads(as_json.text)["@context"]["dcat"] == str(dcat)
