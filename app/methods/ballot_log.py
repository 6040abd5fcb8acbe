"""The published log of a ballot: everything that anyone needs to count it again, sealed by one signed hash.

`docs/ballot-log.md` is the same for those who read no code. `log_reader` reads a log, `log_check` looks for what is
wrong with it.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Final

from app.lib.receipts import normal_receipt
from app.methods import merkle
from app.methods.election import Choice, Election, Option, Settings, Vote, canonical

FORMAT: Final = "partnership-ballot-log/1"
RECEIPT_FORMAT: Final = "partnership-receipt/1"
FIRST_VOTE_LINE: Final = 4
"""Each vote stands on a line of its own; on which the first one does, counting from 1."""

OPEN: Final = "open"
SECRET: Final = "secret"  # noqa: S105 -- a way to vote, not a password


@dataclass(frozen=True, slots=True)
class Log:
    """A log as it was read. `differs_at`: the first line that is not written as this format writes it, or None."""

    head: Mapping[str, Any]
    votes: Sequence[Mapping[str, Any]]
    tree: Mapping[str, Any]
    signature: Mapping[str, Any]
    result: Mapping[str, Any]
    differs_at: int | None = None


@dataclass(frozen=True, slots=True)
class Proof:
    """That a vote is in the log: its place counting from 0, the vote, and the hashes that lead from it to the root."""

    index: int
    size: int
    vote: Mapping[str, Any]
    leaf_hash: str
    path: tuple[str, ...]
    root: str


def head(
    election: Election,
    *,
    installation: str,
    ballot: int,
    title: str,
    programme: str,
    challenge: str,
    mode: str,
    unit: str,
    seed: str,
    titles: Mapping[str, str],
    opens_at: str,
    closes_at: str,
    changes: Sequence[Mapping[str, str]],
    roll: int,
) -> dict[str, Any]:
    """The head of a log: the election without its votes, and what else people should know of it.

    `election` as `sector_rule.pooled` gives it; `installation` is the server's address; `seed` made the tie order;
    `titles` of the options by key; times as `clock.rfc3339` writes them, `closes_at` after all changes. A change has
    `kind` (`extension`, `closure`), `reason`, `by` (a name), `at`, and from and to when it moved the closing (`from`,
    `to`). `roll`: how many people are on the roll.
    """
    return {
        "installation": installation,
        "ballot": ballot,
        "title": title,
        "programme": programme,
        "challenge": challenge,
        "mode": mode,
        "unit": unit,
        "seed": seed,
        "settings": {each.name: _plain(getattr(election.settings, each.name)) for each in fields(Settings)},
        "options": [
            {"key": option.key, "title": titles[option.key], "cost": option.cost}
            for option in election.options
        ],
        "sectors": [{"key": key, "eligible": eligible} for key, eligible in election.eligible.items()],
        "too_small": list(election.too_small),
        "withheld": election.withheld,
        "opens_at": opens_at,
        "closes_at": closes_at,
        "changes": [dict(change) for change in changes],
        "voted": roll,
    }


def vote(receipt: str, sector: str, choice: Choice, voter: Mapping[str, str] | None = None) -> dict[str, Any]:
    """A vote as the log has it; `voter` is `{"name", "organisation"}` where votes are open, and None elsewhere."""
    row: dict[str, Any] = {"receipt": receipt, "sector": sector, "choice": dict(choice)}
    return row if voter is None else row | {"voter": dict(voter)}


def build(
    head: Mapping[str, Any],
    votes: Sequence[Mapping[str, Any]],
    result: Mapping[str, Any],
    *,
    sign: Callable[[bytes], bytes],
    public_key: bytes,
) -> dict[str, Any]:
    """A whole log: what `head` and `vote` gave, votes in the order in which they are published, the counted result.

    `sign` makes the Ed25519 signature that `public_key` checks. Two hashes a vote.
    """
    tree = {"size": len(votes), "root": merkle.root(leaf(head["ballot"], vote) for vote in votes).hex()}
    return {
        "format": FORMAT,
        "head": dict(head),
        "votes": list(votes),
        "tree": tree,
        "signature": {
            "algorithm": "Ed25519",
            "key": public_key.hex(),
            "value": sign(message(head, tree)).hex(),
        },
        "result": dict(result),
    }


def lines(log: Mapping[str, Any]) -> Iterator[str]:
    """The text of the file, line by line, each with its line feed, in the one form that is published.

    `log` has what `build` gives; its votes may be any iterable, such as rows on their way from the database.
    """
    yield f'{{"format":{_text(log["format"])},\n'
    yield f'"head":{_text(log["head"])},\n'
    yield '"votes":[\n'
    before = ""
    for vote in log["votes"]:
        if before:
            yield f"{before},\n"
        before = _text(vote)
    if before:
        yield f"{before}\n"
    yield "],\n"
    yield f'"tree":{_text(log["tree"])},\n'
    yield f'"signature":{_text(log["signature"])},\n'
    yield f'"result":{_text(log["result"])}}}\n'


def leaf(ballot: int, vote: Mapping[str, Any]) -> bytes:
    """A vote as the tree holds it: with the ballot's id, so that it can be of no other."""
    return canonical({**vote, "ballot": ballot})


def leaf_hash(ballot: int, vote: Mapping[str, Any]) -> bytes:
    """The hash of a vote's leaf, 32 bytes."""
    return merkle.leaf_hash(leaf(ballot, vote))


def message(head: Mapping[str, Any], tree: Mapping[str, Any]) -> bytes:
    """What is signed: the format, the hash of the head, the size and the root of the tree."""
    digest = hashlib.sha256(canonical(head)).hexdigest()
    return canonical({"format": FORMAT, "head": digest, "size": tree["size"], "root": tree["root"]})


def receipt_message(ballot: int, receipt: str, choice: Choice) -> bytes:
    """What is signed when a vote is cast: that this choice was taken under this receipt."""
    return canonical({"format": RECEIPT_FORMAT, "ballot": ballot, "receipt": receipt, "choice": dict(choice)})


def receipt_proof(log: Log, receipt: str) -> Proof | None:
    """Where a receipt stands in the log, or None; typed as people type (see `normal_receipt`)."""
    wanted = normal_receipt(receipt)
    places = [place for place, vote in enumerate(log.votes) if vote["receipt"] == wanted]
    return prove(log.head["ballot"], log.votes, places[0]) if places else None


def prove(ballot: int, votes: Sequence[Mapping[str, Any]], index: int) -> Proof:
    """The proof that the vote at `index` is in the tree over `votes`. Two hashes a vote."""
    return proof_of([leaf_hash(ballot, vote) for vote in votes], index, votes[index])


def proof_of(hashes: Sequence[bytes], index: int, vote: Mapping[str, Any]) -> Proof:
    """The same from the hashes of all leaves, as `leaf_hash` gives them, and the vote. One hash a vote."""
    return Proof(
        index=index,
        size=len(hashes),
        vote=vote,
        leaf_hash=hashes[index].hex(),
        path=tuple(step.hex() for step in merkle.path_of(hashes, index)),
        root=merkle.root_of(hashes).hex(),
    )


def election_of(log: Log) -> Election:
    """The election that the log holds, as it was counted."""
    settings = dict(log.head["settings"])
    return Election(
        options=tuple(Option(option["key"], option["cost"]) for option in log.head["options"]),
        settings=Settings(**settings | {"tie_order": tuple(settings["tie_order"])}),
        votes=[Vote(vote["sector"], vote["choice"]) for vote in log.votes],
        eligible={sector["key"]: sector["eligible"] for sector in log.head["sectors"]},
        too_small=tuple(log.head["too_small"]),
        withheld=log.head["withheld"],
    )


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def _text(value: Any) -> str:
    return canonical(value).decode()
