"""What a programme's open data is, for catalogues of data: DCAT-AP 3 as JSON-LD and as Turtle.

Both are written from the same statements. Turtle is written as N-Triples, which is Turtle too.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from pydantic_core import to_json

from app.lib import clock
from app.lib.i18n import LANGUAGES, N_
from app.services.open_data import FileView, OpenDataView
from app.services.programmes import ProgrammeView
from app.web.templating import translations

PREFIXES: Final = {
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}

NAMES: Final = {
    "challenges": N_("Challenges"),
    "ideas": N_("Ideas and comments in numbers"),
    "solutions": N_("Solutions"),
    "results": N_("Results of ballots"),
    "exchanges": N_("Exchanges in numbers"),
}
"""What each table is called."""

MEANINGS: Final = {
    "challenges": N_("The questions that the programme works on, and the phase that each is in."),
    "ideas": N_("How many ideas and comments each challenge has, by sector. Small numbers are left out."),
    "solutions": N_("Ideas that were worked out and decided on, with what each would cost."),
    "results": N_(
        "What was chosen in each counted ballot, and with how much support. Small numbers are left out."
    ),
    "exchanges": N_(
        "How many stays began in each month, from which sector to which. Small numbers are left out."
    ),
}
"""What each table holds."""

KEYWORDS: Final = (N_("public administration"), N_("companies"), N_("participation"))
"""By which all of them are found, beside their names."""

MEDIA_TYPES: Final = {"csv": "text/csv; charset=utf-8", "jsonl": "application/jsonl"}
"""As the files are served."""

_AUTHORITY: Final = "http://publications.europa.eu/resource/authority"
_THEMES: Final = f"{_AUTHORITY}/data-theme"
_THEME: Final = f"{_THEMES}/GOVE"
_STABLE: Final = f"{_AUTHORITY}/planned-availability/STABLE"
_FORMATS: Final = {"csv": f"{_AUTHORITY}/file-type/CSV", "jsonl": f"{_AUTHORITY}/file-type/JSON"}
_LICENCE_TYPES: Final = {
    "CC-BY-4.0": "Attribution",
    "CC0-1.0": "PublicDomain",
}
_LANGUAGES: Final = {"en": f"{_AUTHORITY}/language/ENG", "sl": f"{_AUTHORITY}/language/SLV"}


@dataclass(frozen=True, slots=True)
class Iri:
    """Something that has an address."""

    value: str


@dataclass(frozen=True, slots=True)
class Literal:
    """A text in a language, or of a kind."""

    value: str
    language: str = ""
    kind: str = ""


Statement = tuple[Iri, str, Iri | Literal]
"""What something is or has: subject, predicate (`dct:title`), object."""


def statements(
    base_url: str, programme: ProgrammeView, view: OpenDataView, files: list[FileView]
) -> list[Statement]:
    """Everything that is said of a programme's open data."""
    page = f"{base_url}/programmes/{programme.slug}/open-data"
    said = [
        *_catalogue(page, programme, view, files),
        *_agents(page, view),
        *_licence(view),
        *_period(page, programme.created_at, view.made_at),
        *(
            each
            for table in dict.fromkeys(file.table for file in files)
            for each in _dataset(page, programme, view, [file for file in files if file.table == table])
        ),
    ]
    return [*said, *_kinds(said)]


def json_ld(said: list[Statement]) -> bytes:
    """The statements as JSON-LD: an object for each subject."""
    graph: dict[str, dict[str, Any]] = {}
    for subject, predicate, told in said:
        node = graph.setdefault(subject.value, {"@id": subject.value})
        if predicate == "rdf:type" and isinstance(told, Iri):
            node["@type"] = told.value
        else:
            node.setdefault(predicate, []).append(_as_json(told))
    return to_json({"@context": PREFIXES, "@graph": list(graph.values())}, indent=1)


def turtle(said: list[Statement]) -> bytes:
    """The statements as Turtle, one a line."""
    return "".join(
        f"<{subject.value}> <{_whole(predicate)}> {_as_turtle(told)} .\n" for subject, predicate, told in said
    ).encode()


# what is said


def _catalogue(
    page: str, programme: ProgrammeView, view: OpenDataView, files: list[FileView]
) -> Iterator[Statement]:
    about = Iri(f"{page}#catalogue")
    yield about, "rdf:type", Iri("dcat:Catalog")
    for language in LANGUAGES:
        title = translations(language).gettext(N_("Open data of %(name)s")) % {"name": programme.name}
        yield about, "dct:title", Literal(title, language)
    described = view.description or programme.description or programme.name
    yield about, "dct:description", Literal(described, programme.language)
    yield about, "dct:publisher", Iri(f"{page}#publisher")
    yield about, "dct:license", Iri(view.licence_address)
    yield about, "foaf:homepage", Iri(page)
    yield about, "dcat:themeTaxonomy", Iri(_THEMES)
    yield from _dated(about, view.opened_at, view.made_at)
    for language in LANGUAGES:
        yield about, "dct:language", Iri(_LANGUAGES[language])
    for table in dict.fromkeys(file.table for file in files):
        yield about, "dcat:dataset", Iri(f"{page}#{table}")


def _agents(page: str, view: OpenDataView) -> Iterator[Statement]:
    publisher, contact = Iri(f"{page}#publisher"), Iri(f"{page}#contact")
    yield publisher, "rdf:type", Iri("foaf:Agent")
    yield publisher, "foaf:name", Literal(view.publisher)
    yield contact, "rdf:type", Iri("vcard:Kind")
    yield contact, "vcard:fn", Literal(view.publisher)
    yield contact, "vcard:hasEmail", Iri(f"mailto:{quote(view.contact, safe='@+')}")


def _period(page: str, first: datetime, last: datetime | None) -> Iterator[Statement]:
    for predicate, instant in (("dcat:startDate", first), ("dcat:endDate", last)):
        if instant is not None:
            day = instant.date().isoformat()
            yield Iri(f"{page}#period"), predicate, Literal(day, kind="xsd:date")


def _licence(view: OpenDataView) -> Iterator[Statement]:
    kind = _LICENCE_TYPES[view.licence]
    about = Iri(f"http://purl.org/adms/licencetype/{kind}")
    yield Iri(view.licence_address), "dct:type", about
    yield about, "skos:prefLabel", Literal(kind, "en")


def _dataset(
    page: str, programme: ProgrammeView, view: OpenDataView, files: list[FileView]
) -> Iterator[Statement]:
    table = files[0].table
    about = Iri(f"{page}#{table}")
    yield about, "rdf:type", Iri("dcat:Dataset")
    yield about, "dct:identifier", Literal(about.value)
    for language in LANGUAGES:
        told = translations(language).gettext
        yield about, "dct:title", Literal(f"{programme.name}: {told(NAMES[table])}", language)
        yield about, "dct:description", Literal(told(MEANINGS[table]), language)
        for keyword in (NAMES[table], *KEYWORDS):
            yield about, "dcat:keyword", Literal(told(keyword), language)
    yield about, "dct:publisher", Iri(f"{page}#publisher")
    yield about, "dcat:contactPoint", Iri(f"{page}#contact")
    yield about, "dcat:landingPage", Iri(page)
    yield about, "dcat:theme", Iri(_THEME)
    yield about, "dct:temporal", Iri(f"{page}#period")
    yield about, "dct:accessRights", Iri(f"{_AUTHORITY}/access-right/PUBLIC")
    yield about, "dct:accrualPeriodicity", Iri(f"{_AUTHORITY}/frequency/DAILY")
    yield about, "dct:language", Iri(_LANGUAGES.get(programme.language, _LANGUAGES["en"]))
    yield from _dated(about, view.opened_at, max(file.changed_at for file in files))
    for file in files:
        yield about, "dcat:distribution", Iri(f"{about.value}-{file.form}")
    for file in files:
        yield from _distribution(page, view, file)


def _distribution(page: str, view: OpenDataView, file: FileView) -> Iterator[Statement]:
    about, address = Iri(f"{page}#{file.table}-{file.form}"), Iri(f"{page}/{file.name}")
    yield about, "rdf:type", Iri("dcat:Distribution")
    yield about, "dct:title", Literal(file.name)
    for language in LANGUAGES:
        yield (
            about,
            "dct:description",
            Literal(translations(language).gettext(MEANINGS[file.table]), language),
        )
    yield about, "dcatap:availability", Iri(_STABLE)
    yield about, "dcat:accessURL", address
    yield about, "dcat:downloadURL", address
    yield about, "dct:license", Iri(view.licence_address)
    yield about, "dct:format", Iri(_FORMATS[file.form])
    if file.form == "csv":  # the other one is not registered
        yield about, "dcat:mediaType", Iri("https://www.iana.org/assignments/media-types/text/csv")
    yield about, "dcat:byteSize", Literal(str(file.size_bytes), kind="xsd:nonNegativeInteger")
    yield from _dated(about, None, file.changed_at)


def _kinds(said: list[Statement]) -> Iterator[Statement]:
    """What the things are that others have named, for a reader who has not loaded their lists."""
    named = {(told, _KINDS[predicate]): None for _, predicate, told in said if predicate in _KINDS}
    for thing, kind in named:
        if isinstance(thing, Iri):
            yield thing, "rdf:type", Iri(kind)
    yield Iri(_THEMES), "dct:title", Literal("Data theme", "en")
    yield Iri(_THEME), "skos:inScheme", Iri(_THEMES)
    yield Iri(_THEME), "skos:prefLabel", Literal("Government and public sector", "en")
    yield Iri(_STABLE), "skos:prefLabel", Literal("stable", "en")


_KINDS: Final = {
    "dct:accessRights": "dct:RightsStatement",
    "dct:accrualPeriodicity": "dct:Frequency",
    "dct:format": "dct:MediaTypeOrExtent",
    "dct:language": "dct:LinguisticSystem",
    "dct:license": "dct:LicenseDocument",
    "dct:temporal": "dct:PeriodOfTime",
    "dct:type": "skos:Concept",
    "dcatap:availability": "skos:Concept",
    "dcat:landingPage": "foaf:Document",
    "dcat:mediaType": "dct:MediaType",
    "dcat:theme": "skos:Concept",
    "dcat:themeTaxonomy": "skos:ConceptScheme",
    "foaf:homepage": "foaf:Document",
}


def _dated(about: Iri, issued: datetime | None, modified: datetime | None) -> Iterator[Statement]:
    for predicate, instant in (("dct:issued", issued), ("dct:modified", modified)):
        if instant is not None:
            yield about, predicate, Literal(clock.rfc3339(instant), kind="xsd:dateTime")


# how it is written


def _as_json(told: Iri | Literal) -> dict[str, str]:
    if isinstance(told, Iri):
        return {"@id": told.value}
    found = {"@value": told.value}
    if told.language:
        found["@language"] = told.language
    if told.kind:
        found["@type"] = told.kind
    return found


def _as_turtle(told: Iri | Literal) -> str:
    if isinstance(told, Iri):
        return f"<{_whole(told.value)}>"
    text = f'"{told.value.translate(_ESCAPED)}"'
    if told.language:
        return f"{text}@{told.language}"
    return f"{text}^^<{_whole(told.kind)}>" if told.kind else text


_ESCAPED: Final = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"})


def _whole(name: str) -> str:
    """The address that a short name (`dct:title`) stands for; an address as it is."""
    prefix, _, rest = name.partition(":")
    return PREFIXES[prefix] + rest if prefix in PREFIXES else name
