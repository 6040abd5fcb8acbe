"""The demo's texts, as their files in `content/` have them."""

import tomllib
from dataclasses import dataclass, field
from importlib.resources import files
from typing import Any


@dataclass(frozen=True, slots=True)
class Person:
    """Someone; `key` is how the files call them."""

    key: str
    name: str
    role: str = "participant"
    email: str | None = None
    language: str | None = None


@dataclass(frozen=True, slots=True)
class Organisation:
    """A ministry or company, with its official number, its mail domain and its people."""

    name: str
    sector: str
    number: str
    domain: str
    people: tuple[Person, ...]


@dataclass(frozen=True, slots=True)
class Sector:
    """A side of the partnership; `provider` is the demo identity provider that vouches for its people."""

    key: str
    name: str
    provider: str


@dataclass(frozen=True, slots=True)
class Phase:
    """What every challenge goes through: for how many days, and what is open meanwhile."""

    kind: str
    days: int = 0
    posting: bool = False
    commenting: bool = False
    supporting: bool = False
    tallies: bool = True


@dataclass(frozen=True, slots=True)
class Comment:
    """What someone said of an idea; `hidden` is the reason for which a facilitator hid it."""

    by: str
    text: str
    language: str
    hidden: str | None = None


@dataclass(frozen=True, slots=True)
class Earlier:
    """What an idea said before its author edited it."""

    title: str
    body: str


@dataclass(frozen=True, slots=True)
class Hiding:
    """Why a facilitator (`by`) hid an idea, and what its author answered."""

    reason: str
    by: str
    answer: str | None = None


@dataclass(frozen=True, slots=True)
class Merge:
    """That an idea shall go into the one called `into`: `proposed` by someone, or `accepted` since."""

    into: str
    by: str
    state: str


@dataclass(frozen=True, slots=True)
class Idea:
    """An idea and what became of it. `support` counts the supporters of each sector, in the sectors' order."""

    by: str
    title: str
    body: str
    language: str
    support: tuple[int, ...]
    comments: tuple[Comment, ...]
    cluster: str | None = None
    name: str | None = None
    anonymous: bool = False
    pinned: bool = False
    withdrawn: bool = False
    co_authors: tuple[str, ...] = ()
    before: Earlier | None = None
    hidden: Hiding | None = None
    merge: Merge | None = None


@dataclass(frozen=True, slots=True)
class Cluster:
    """A column of a board."""

    key: str
    title: str
    language: str


@dataclass(frozen=True, slots=True)
class Solution:
    """What a team has made of the ideas that are named `ideas`; `cost` in days of work, `links`: title and address."""

    key: str
    ideas: tuple[str, ...]
    language: str
    title: str
    summary: str
    cost: int
    carrier: str
    links: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Leaning:
    """How many `people` of each sector, in the sectors' order, like each solution how much: 0 to 5, by its key."""

    people: tuple[int, ...]
    likes: dict[str, float]


@dataclass(frozen=True, slots=True)
class Interest:
    """What someone declared about a solution in which they have a stake."""

    by: str
    solution: str
    statement: str


@dataclass(frozen=True, slots=True)
class Extension:
    """That someone let a ballot close so many days later than planned, and why."""

    by: str
    days: int
    reason: str


@dataclass(frozen=True, slots=True)
class Ballot:
    """A ballot over all solutions of a challenge, and how people voted.

    It opens `opens` days after the phase of voting began, and closes when that ends. `numbers` are settings that are
    not as usual.
    """

    key: str
    language: str
    title: str
    explanation: str
    method: str
    unit: str
    numbers: dict[str, int]
    leanings: tuple[Leaning, ...]
    interests: tuple[Interest, ...]
    rule: str | None = None
    mode: str = "secret"
    opens: int = 0
    extension: Extension | None = None


@dataclass(frozen=True, slots=True)
class Challenge:
    """A challenge that has been in `phase` for `days` days, with its board."""

    title: str
    summary: str
    brief: str
    language: str
    anonymous_allowed: bool
    sponsor: str
    phase: str
    days: int
    clusters: tuple[Cluster, ...]
    ideas: tuple[Idea, ...]
    solutions: tuple[Solution, ...] = ()
    ballots: tuple[Ballot, ...] = ()


@dataclass(frozen=True, slots=True)
class Story:
    """The whole demo programme."""

    slug: str
    name: str
    description: str
    language: str
    sectors: tuple[Sector, ...]
    phases: tuple[Phase, ...]
    organisations: tuple[Organisation, ...]
    challenges: tuple[Challenge, ...] = field(default=())


def read() -> Story:
    """The story, from the files that are installed with the application."""
    content = files("app.demo") / "content"
    programme = tomllib.loads((content / "programme.toml").read_text("utf-8"))
    challenges = sorted(path.name for path in content.iterdir() if path.name[0].isdigit())
    return Story(
        slug=programme["slug"],
        name=programme["name"],
        description=programme["description"].strip(),
        language=programme["language"],
        sectors=tuple(Sector(**sector) for sector in programme["sectors"]),
        phases=tuple(Phase(**phase) for phase in programme["phases"]),
        organisations=tuple(_organisation(**values) for values in programme["organisations"]),
        challenges=tuple(
            _challenge(**tomllib.loads((content / name).read_text("utf-8"))) for name in challenges
        ),
    )


def _organisation(*, people: list[dict[str, Any]], **values: Any) -> Organisation:
    return Organisation(people=tuple(Person(**person) for person in people), **values)


def _challenge(
    *, brief: str, clusters: list[dict[str, Any]], ideas: list[dict[str, Any]], language: str, **values: Any
) -> Challenge:
    solutions = values.pop("solutions", [])
    ballots = values.pop("ballots", [])
    return Challenge(
        brief=_unfolded(brief),
        language=language,
        clusters=tuple(Cluster(**{"language": language, **cluster}) for cluster in clusters),
        ideas=tuple(_idea(**idea) for idea in ideas),
        solutions=tuple(_solution(**solution) for solution in solutions),
        ballots=tuple(_ballot(**ballot) for ballot in ballots),
        **values,
    )


def _idea(**values: Any) -> Idea:
    language = values["language"]
    comments = [_comment(language, *comment) for comment in values.pop("comments", [])]
    comments += [
        Comment(by, text, language, hidden) for by, text, hidden in values.pop("hidden_comments", [])
    ]
    before = values.pop("before", None)
    hidden = values.pop("hidden", None)
    merge = values.pop("merge", None)
    return Idea(
        body=_unfolded(values.pop("body")),
        support=tuple(values.pop("support")),
        comments=tuple(comments),
        co_authors=tuple(values.pop("with", ())),
        before=Earlier(before["title"], _unfolded(before["body"])) if before else None,
        hidden=Hiding(**hidden) if hidden else None,
        merge=Merge(**merge) if merge else None,
        **values,
    )


def _solution(**values: Any) -> Solution:
    return Solution(
        ideas=tuple(values.pop("ideas")),
        summary=_unfolded(values.pop("summary")),
        links=tuple((title, address) for title, address in values.pop("links")),
        **values,
    )


def _ballot(**values: Any) -> Ballot:
    extension = values.pop("extension", None)
    return Ballot(
        explanation=_unfolded(values.pop("explanation")),
        leanings=tuple(
            Leaning(tuple(leaning["people"]), leaning["likes"]) for leaning in values.pop("leanings")
        ),
        interests=tuple(Interest(*interest) for interest in values.pop("interests")),
        extension=Extension(**extension) if extension else None,
        **values,
    )


def _comment(idea_language: str, by: str, text: str, language: str | None = None) -> Comment:
    return Comment(by, text, language or idea_language)


def _unfolded(text: str) -> str:
    """`text` with the lines of a paragraph joined: where a line ends in a file means nothing."""
    lines: list[str] = []
    for line in text.strip().splitlines():
        if not line.strip() or not lines or not lines[-1] or _begins_item(line, lines[-1]):
            lines.append(line.strip())
        else:
            lines[-1] = f"{lines[-1]} {line.strip()}"
    return "\n".join(lines)


def _begins_item(line: str, before: str) -> bool:
    """Whether `line` begins an item of a list, and not just with a number such as the year in a sentence."""
    if line.lstrip().startswith(("- ", "> ")):
        return True
    number = _number(line)
    return number == 1 or (number is not None and _number(before) is not None)


def _number(line: str) -> int | None:
    first, dot, _ = line.strip().partition(". ")
    return int(first) if dot and first.isdigit() and len(first) < 3 else None
