"""Published ballot logs of random elections, sealed with a key of the tests' own."""

import random
from dataclasses import replace

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from app.lib.receipts import receipt_of
from app.methods import ballot_log, choices, count, sector_rule
from app.methods.election import NONE, Election, Option, Settings, Vote
from app.methods.shuffle import shuffled

SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
OTHER_SIGNER = Ed25519PrivateKey.from_private_bytes(bytes(range(1, 33)))
KEYS = ("3", "5", "7", "11")
SEED = "0123456789abcdef"


def choice(method, dice):
    """One that the settings of `election` allow."""
    drawn = dice.random()
    if drawn < 0.05:
        return {"abstain": True}
    if drawn < 0.1:
        return {"none": True}
    some = dice.sample(KEYS, dice.randint(1, 3))
    if method in {"approval", "budget"}:
        return {"approved": some[:2]}
    if method == "score":
        return {"scores": {key: dice.randint(1, 5) for key in some}}
    if method == "ranked":
        return {"ranking": [[key] for key in some] + [[NONE], *[[key] for key in KEYS if key not in some]]}
    return {"points": {key: dice.randint(1, 3 if method == "points" else 2) for key in some}}


def election(method="approval", *, votes=40, seed=1, secret=True, sectors=("public", "business"), **settings):
    dice = random.Random(f"{method} {seed}")
    made = Settings(
        method=method,
        rule="one_person",
        threshold=0,
        points=12,
        budget=10,
        tie_order=shuffled(KEYS, SEED, "ties"),
        secret=secret,
    )
    return Election(
        options=tuple(Option(key, cost) for key, cost in zip(KEYS, (2, 3, 4, 5), strict=True)),
        settings=replace(made, **settings),
        votes=[Vote(sectors[n % len(sectors)], choices.normal(choice(method, dice))) for n in range(votes)],
        eligible=dict.fromkeys(sectors, votes),
    )


def parts(held, *, ballot=7, signer=SIGNER, first_receipt=1000, **facts):
    """The log of an election, as `ballot_log.build` makes it."""
    held = sector_rule.pooled(held)
    head = ballot_log.head(
        held,
        ballot=ballot,
        mode="secret" if held.settings.secret else "open",
        roll=len(held.votes) + held.withheld,
        **FACTS | facts,
    )
    voter = None if held.settings.secret else {"name": "Ana Žagar", "organisation": "Ministry"}
    votes = [
        ballot_log.vote(
            receipt_of((first_receipt + n) * 12345678901234567890123), vote.sector, vote.choice, voter
        )
        for n, vote in enumerate(held.votes)
    ]
    return sealed(head, votes, count.to_json(count.count(held)), signer)


def sealed(head, votes, result, signer=SIGNER):
    key = signer.public_key().public_bytes_raw()
    return ballot_log.build(head, votes, result, sign=signer.sign, public_key=key)


def text(log):
    return "".join(ballot_log.lines(log))


FACTS = {
    "installation": "https://partnership.example",
    "title": "Kako naprej? “Now”",
    "programme": "slovenia-2026",
    "challenge": "Fewer forms",
    "unit": "days",
    "seed": SEED,
    "titles": {"3": "One form", "5": "One door", "7": "Ena številka", "11": "A list"},
    "opens_at": "2026-11-02T08:00:00.000000Z",
    "closes_at": "2026-11-09T08:00:00.000000Z",
    "changes": [
        {
            "kind": "extension",
            "reason": "A holiday came between.",
            "by": "Maja Novak",
            "at": "2026-11-06T08:00:00.000000Z",
            "from": "2026-11-08T08:00:00.000000Z",
            "to": "2026-11-09T08:00:00.000000Z",
        }
    ],
}
