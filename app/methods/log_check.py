"""Looking for what is wrong with a published ballot log, from the log alone: its seal, its votes, its result."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from app.lib import signatures
from app.lib.receipts import normal_receipt
from app.methods import ballot_log, choices, merkle
from app.methods.ballot_log import SECRET, Log
from app.methods.election import SMALLEST_SECTOR, Election, Result, canonical
from app.methods.log_reader import where
from app.methods.sector_rule import small_sectors
from app.methods.shuffle import shuffled

MOST_ALIKE: Final = 20
"""So many findings of one kind are listed; the next one says how many more there are."""


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is wrong: `kind` for programs; `message`, filled with `values`, for people.

    In English alone, as all that the command line says.
    """

    kind: str
    message: str
    values: Mapping[str, Any] = field(default_factory=dict)

    @property
    def says(self) -> str:
        """The finding as a sentence."""
        return self.message % self.values


@dataclass(frozen=True, slots=True)
class Examination:
    """What was found, and what the votes count to; `result` is None where they cannot be counted."""

    findings: tuple[Finding, ...]
    result: Result | None


def check(
    log: Log,
    *,
    expect_root: str | None = None,
    expect_key: str | None = None,
    expect_ballot: int | None = None,
) -> list[Finding]:
    """All that is wrong with a log, nothing if it is whole and its result is what its votes count to.

    What is expected comes from elsewhere, such as the mail to observers: a log that somebody made anew and signed with
    a key of theirs is whole in itself.
    """
    expected = Expected(expect_root, expect_key, expect_ballot)
    return list(examine(log, expected).findings)


@dataclass(frozen=True, slots=True)
class Expected:
    """What is known of a log from elsewhere: root and key in hexadecimal, the ballot's id; None: not known."""

    root: str | None = None
    key: str | None = None
    ballot: int | None = None


def examine(log: Log, expected: Expected) -> Examination:
    """What is wrong with a log, and the result that its votes count to."""
    election = ballot_log.election_of(log)
    uncountable = [*_settings(log, election), *_votes(log, election)]
    result = None
    differences = [Finding("not_counted", "Because of that the votes were not counted again.")]
    if not uncountable:
        result, differences = _recount(log, election)
    findings = [
        *_form(log),
        *_expected(log, expected),
        *_seal(log),
        *_sizes(log, election),
        *_receipts(log),
        *_promises(log, election),
        *uncountable,
        *differences,
    ]
    return Examination(tuple(findings), result)


def _form(log: Log) -> Iterator[Finding]:
    if log.differs_at is not None:
        message = "Line %(line)s is not written as it is published: this is not the very file."
        yield Finding("form", message, {"line": log.differs_at})


def _expected(log: Log, expected: Expected) -> Iterator[Finding]:
    found: Any = log.head["ballot"]
    if expected.ballot not in (None, found):
        values = {"found": found, "wanted": expected.ballot}
        yield Finding("other_ballot", "This is the log of ballot %(found)s, not of %(wanted)s.", values)
    found = log.tree["root"]
    if _digits(expected.root) not in (None, found):
        values = {"found": found, "wanted": expected.root}
        yield Finding("other_root", "The root is %(found)s, not %(wanted)s.", values)
    found = signatures.fingerprint(bytes.fromhex(log.signature["key"]))
    if _digits(expected.key) not in (None, log.signature["key"], _digits(found)):
        values = {"found": found, "wanted": expected.key}
        yield Finding("other_key", "It is signed with the key %(found)s, not %(wanted)s.", values)


def _digits(text: str | None) -> str | None:
    """Hexadecimal digits as people copy them: with spaces, in capitals."""
    return None if text is None else "".join(text.split()).replace(":", "").lower()


def _seal(log: Log) -> Iterator[Finding]:
    root = merkle.root(ballot_log.leaf(log.head["ballot"], vote) for vote in log.votes).hex()
    if root != log.tree["root"]:
        message = "The votes do not lead to the root: one was changed, added, dropped or moved. They lead to %(root)s."
        yield Finding("root", message, {"root": root})
    key, value = bytes.fromhex(log.signature["key"]), bytes.fromhex(log.signature["value"])
    if not signatures.verify(key, value, ballot_log.message(log.head, log.tree)):
        yield Finding("signature", "The signature is not one over this head, size and root with this key.")


def _sizes(log: Log, election: Election) -> Iterator[Finding]:
    votes = len(log.votes)
    values = {"votes": votes, "size": log.tree["size"], "voted": log.head["voted"]}
    if votes != log.tree["size"]:
        yield Finding("size", "There are %(votes)s votes, but the tree is over %(size)s.", values)
    if votes + election.withheld != log.head["voted"]:
        yield Finding("roll", "There are %(votes)s votes, but %(voted)s people have voted.", values)
    eligible = sum(election.eligible.values())
    if votes > eligible:
        message = "There are %(votes)s votes, but only %(eligible)s people could vote."
        yield Finding("too_many", message, values | {"eligible": eligible})


def _receipts(log: Log) -> Iterator[Finding]:
    yield from _some(_wrong_receipts(log))
    yield from _some(_doubled_receipts(log))


def _wrong_receipts(log: Log) -> Iterator[Finding]:
    message = "%(where)s: its receipt is none; it has a typing error or was made up."
    for index, vote in enumerate(log.votes):
        if normal_receipt(vote["receipt"]) != vote["receipt"]:
            yield Finding("receipt", message, {"where": where(index)})


def _doubled_receipts(log: Log) -> Iterator[Finding]:
    seen: dict[str, int] = {}
    for index, vote in enumerate(log.votes):
        first = seen.setdefault(vote["receipt"], index)
        if first != index:
            values = {"where": where(index), "first": where(first), "receipt": vote["receipt"]}
            yield Finding("doubled", "%(where)s has the receipt of %(first)s: %(receipt)s.", values)


def _settings(log: Log, election: Election) -> Iterator[Finding]:
    for error in choices.check_settings(election.settings, election.options):
        values = {"field": error.field, "said": error.message % dict(error.values)}
        yield Finding("settings", "Settings, %(field)s: %(said)s", values)
    for key, times in Counter(sector["key"] for sector in log.head["sectors"]).items():
        if times > 1:
            yield Finding("sector_twice", "The sector %(sector)s stands twice.", {"sector": key})


def _votes(log: Log, election: Election) -> Iterator[Finding]:
    yield from _some(_wrong_sectors(log, election))
    if not choices.check_settings(election.settings, election.options):
        yield from _some(_wrong_choices(election))


def _wrong_sectors(log: Log, election: Election) -> Iterator[Finding]:
    known = {""} if election.too_small else set(election.eligible)
    for index, vote in enumerate(log.votes):
        if vote["sector"] not in known:
            values = {"where": where(index), "sector": vote["sector"]}
            if election.too_small:
                message = "%(where)s names the sector %(sector)s, though no sector may be told apart."
                yield Finding("sector", message, values)
            else:
                yield Finding("sector", "%(where)s: there is no sector %(sector)s.", values)


def _wrong_choices(election: Election) -> Iterator[Finding]:
    for index, vote in enumerate(election.votes):
        for error in choices.check(election.settings, election.options, vote.choice)[:1]:
            values = {"where": where(index), "field": error.field, "said": error.message % dict(error.values)}
            yield Finding("choice", "%(where)s, %(field)s: %(said)s", values)


def _promises(log: Log, election: Election) -> Iterator[Finding]:
    """What was promised before the vote: how ties are decided, what stays secret."""
    keys = [option.key for option in election.options]
    if election.settings.tie_order != shuffled(keys, log.head["seed"], "ties"):
        yield Finding("tie_order", "The tie order is not the one that the seed makes.")
    if election.settings.secret != (log.head["mode"] == SECRET):
        yield Finding("mode", "It says both that votes are open and that they are secret.")
    yield from _secrecy(election)


def _secrecy(election: Election) -> Iterator[Finding]:
    """A secret ballot's sector with fewer than five votes may not stand alone."""
    is_secret, too_small = election.settings.secret, election.too_small
    if too_small and not (is_secret and set(too_small) <= set(election.eligible)):
        yield Finding("too_small", "The sectors called too small are none of a secret ballot's sectors.")
    if election.withheld and not (
        is_secret and too_small and election.withheld < SMALLEST_SECTOR and not election.votes
    ):
        yield Finding("withheld", "Votes are kept back though there are enough of them to be published.")
    if is_secret and too_small and 0 < len(election.votes) < SMALLEST_SECTOR:
        message = "There are fewer than %(least)s votes, and yet they are published."
        yield Finding("few", message, {"least": SMALLEST_SECTOR})
    if is_secret and not too_small:
        message = "The sector %(sector)s has fewer than %(least)s votes, and yet they are told apart."
        for sector in small_sectors(election.votes, election.eligible):
            yield Finding("alone", message, {"sector": sector, "least": SMALLEST_SECTOR})


def _recount(log: Log, election: Election) -> tuple[Result, list[Finding]]:
    from app.methods import count

    result = count.count(election)
    counted = json.loads(canonical(count.to_json(result)))
    message = "The result is not what the votes count to: %(what)s."
    found = (
        Finding("result", message, {"what": what}) for what in _differences(log.result, counted, "result")
    )
    return result, list(_some(found))


def _differences(said: Any, counted: Any, place: str) -> Iterator[str]:
    """Where two values differ, in words; numbers of another kind (1 and 1.0, 1 and true) differ."""
    if isinstance(said, dict) and isinstance(counted, dict):
        yield from _differences_by_name(said, counted, place)
    elif isinstance(said, list) and isinstance(counted, list) and len(said) == len(counted):
        for number, (one, other) in enumerate(zip(said, counted, strict=True), start=1):
            yield from _differences(one, other, f"{place}, entry {number}")
    elif type(said) is not type(counted) or said != counted:
        yield f"{place} is {_short(said)}, counted again it is {_short(counted)}"


def _differences_by_name(said: Mapping[str, Any], counted: Mapping[str, Any], place: str) -> Iterator[str]:
    for name in sorted(said.keys() | counted.keys()):
        if name not in said:
            yield f"{place} has no {name}"
        elif name not in counted:
            yield f"{place} has {_short(name)}, which belongs to no result"
        else:
            yield from _differences(said[name], counted[name], f"{place}, {name}")


def _short(value: Any) -> str:
    text = canonical(value).decode()
    return text if len(text) <= 80 else text[:79] + "…"


def _some(findings: Iterator[Finding]) -> Iterator[Finding]:
    """The first of them, and how many more there are."""
    yield from islice(findings, MOST_ALIKE)
    more = sum(1 for _ in findings)
    if more:
        yield Finding("more", "And %(more)s more like this.", {"more": more})
