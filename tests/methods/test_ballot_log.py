"""The published log: written in one form, read strictly, and every kind of tampering is found."""

import dataclasses
import json
import random
import re
import time
from functools import cache

import pytest

from app.lib.receipts import receipt_of
from app.lib.signatures import fingerprint
from app.methods import ballot_log, count, log_check, log_reader, merkle, sector_rule
from app.methods.election import METHODS, Settings
from app.methods.log_reader import Unreadable
from tests.factories import logs

ROOT_HEX, KEY_HEX = 64, 64


@cache
def whole(method="approval", **settings):
    """A log as text. Not to be changed: made once for all tests."""
    return logs.text(logs.parts(logs.election(method, **settings)))


def parts(method="approval", **settings):
    return json.loads(whole(method, **settings))


def found(text, **expected):
    """The kinds of what is found; `unreadable` where it cannot be read."""
    try:
        log = log_reader.read(text)
    except Unreadable:
        return ["unreadable"]
    return [finding.kind for finding in log_check.check(log, **expected)]


def found_in(log, **expected):
    return found(logs.text(log), **expected)


def resealed(log, signer=logs.SIGNER):
    """What somebody with a key publishes of a changed log: the tree and the signature made anew."""
    return logs.sealed(log["head"], log["votes"], log["result"], signer)


def recounted(log):
    """What somebody publishes who also counts anew."""
    held = ballot_log.election_of(ballot_log.Log(log["head"], log["votes"], {}, {}, {}))
    return {**log, "result": count.to_json(count.count(held))}


CASES = [(method, {}) for method in METHODS] + [
    ("approval", {"secret": False}),
    ("approval", {"votes": 8}),
    ("approval", {"votes": 0, "secret": False}),
    ("approval", {"rule": "least_sector", "threshold": 30}),
    ("ranked", {"seats": 2}),
]


def name(value):
    return " ".join(f"{key}={item}" for key, item in value.items()) if isinstance(value, dict) else value


# whole logs


@pytest.mark.parametrize(("method", "settings"), CASES, ids=name)
def test_a_whole_log_is_whole(method, settings):
    assert found(whole(method, **settings)) == []


@pytest.mark.parametrize(("method", "settings"), CASES, ids=name)
def test_what_is_read_is_what_was_written(method, settings):
    log = parts(method, **settings)
    read = log_reader.read(whole(method, **settings))
    assert (read.head, read.votes, read.tree) == (log["head"], log["votes"], log["tree"])
    assert read.differs_at is None


def test_a_log_holds_the_election_that_was_counted():
    held = logs.election(rule="least_sector", seats=2)
    read = ballot_log.election_of(log_reader.read(logs.text(logs.parts(held))))
    assert read == dataclasses.replace(held, votes=read.votes)
    assert list(read.votes) == list(held.votes)


def test_the_order_of_sectors_is_kept():
    held = logs.election(sectors=("zebra", "ape"))
    assert list(ballot_log.election_of(log_reader.read(logs.text(logs.parts(held)))).eligible) == [
        "zebra",
        "ape",
    ]


def test_a_sector_with_few_votes_is_told_apart_nowhere():
    text = whole(votes=8)
    log = json.loads(text)
    assert {vote["sector"] for vote in log["votes"]} == {""}
    assert log["head"]["too_small"] == ["public", "business"]
    assert log["result"]["sectors"] == [""]


def test_names_stand_beside_open_votes_only():
    assert '"voter"' not in whole()
    assert all(vote["voter"]["name"] == "Ana Žagar" for vote in parts(secret=False)["votes"])


def test_each_vote_has_a_line_of_its_own():
    lines = whole().split("\n")
    for index, vote in enumerate(parts()["votes"]):
        assert json.loads(lines[ballot_log.FIRST_VOTE_LINE + index - 1].rstrip(",")) == vote


def test_the_head_names_every_setting():
    assert set(parts()["head"]["settings"]) == {each.name for each in dataclasses.fields(Settings)}


def test_a_log_may_be_written_from_rows_on_their_way():
    log = parts()
    assert "".join(ballot_log.lines({**log, "votes": iter(log["votes"])})) == whole()


# what is known from elsewhere


def test_root_key_and_ballot_can_be_expected():
    log = parts()
    root, key = log["tree"]["root"], log["signature"]["key"]
    assert found(whole(), expect_root=root, expect_key=key, expect_ballot=7) == []
    assert found(whole(), expect_root=root.upper(), expect_key=" ".join((key[:20], key[20:]))) == []
    assert found(whole(), expect_root="0" * ROOT_HEX) == ["other_root"]
    assert found(whole(), expect_key="0" * KEY_HEX) == ["other_key"]
    assert found(whole(), expect_key="") == ["other_key"]
    assert found(whole(), expect_ballot=8) == ["other_ballot"]
    assert found(whole(), expect_ballot=0) == ["other_ballot"]


def test_the_key_can_be_expected_by_its_fingerprint():
    told = fingerprint(bytes.fromhex(parts()["signature"]["key"]))
    assert found(whole(), expect_key=told) == []
    assert found(whole(), expect_key=told[:-1]) == ["other_key"]


# tampering, byte by byte


@pytest.mark.parametrize(("method", "settings"), CASES, ids=name)
def test_one_changed_byte_is_found(method, settings):
    text = whole(method, **settings)
    data = text.encode()
    dice = random.Random(f"{method} {settings}")
    for _ in range(100):
        place = dice.randrange(len(data))
        byte = dice.choice(
            [value for value in (dice.randrange(256), data[place] ^ 1, 0x20) if value != data[place]]
        )
        changed = data[:place] + bytes([byte]) + data[place + 1 :]
        try:
            as_text = changed.decode()
        except UnicodeDecodeError:
            continue  # the command says so: test_verify
        assert found(as_text), (place, data[max(place - 20, 0) : place + 20], byte)


@pytest.mark.parametrize("place", [*range(0, 3000, 61), -1, -2])
def test_a_log_that_is_cut_off_is_found(place):
    assert found(whole()[:place]) in (["unreadable"], ["form"])
    assert found(whole()[:place]) == ["unreadable"] or place == -1


def test_a_log_that_is_cut_off_between_lines_is_found():
    lines = whole().splitlines(keepends=True)
    for end in range(len(lines)):
        assert found("".join(lines[:end])) == ["unreadable"]


def test_a_lost_or_doubled_line_is_found():
    lines = whole().splitlines(keepends=True)
    for place in range(len(lines)):
        assert found("".join(lines[:place] + lines[place + 1 :]))
        assert found("".join(lines[: place + 1] + lines[place:]))


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text + "\n",
        lambda text: " " + text,
        lambda text: text.replace("\n", "\r\n"),
        lambda text: text.replace("š", "\\u0161"),
        lambda text: json.dumps(json.loads(text), indent=2),
        lambda text: json.dumps(json.loads(text)),
    ],
)
def test_another_form_of_the_same_data_is_told(change):
    assert found(change(whole())) == ["form"]


# tampering, part by part


def another_choice(votes):
    votes[5]["choice"] = (
        {"none": True} if votes[5]["choice"] == {"approved": ["11"]} else {"approved": ["11"]}
    )


def another_sector(votes):
    votes[5]["sector"] = "business" if votes[5]["sector"] == "public" else "public"


def another_receipt(votes):
    votes[5]["receipt"] = receipt_of(99)


def added(votes):
    votes.append({**votes[5], "receipt": receipt_of(99)})


def doubled(votes):
    votes.append(dict(votes[5]))


def doubled_in_place(votes):
    votes[6] = dict(votes[5])


def dropped(votes):
    del votes[5]


def all_dropped(votes):
    votes.clear()


def moved(votes):
    votes[5], votes[6] = votes[6], votes[5]


def one_of_another_ballot(votes):
    votes[5] = {**parts(seed=2)["votes"][5], "receipt": receipt_of(98)}


def all_of_another_ballot(votes):
    votes.extend({**vote, "receipt": receipt_of(200 + n)} for n, vote in enumerate(parts(seed=2)["votes"]))


TAMPERING = [
    another_choice, another_sector, another_receipt, added, doubled, doubled_in_place,
    dropped, all_dropped, moved, one_of_another_ballot, all_of_another_ballot,
]  # fmt: skip


@pytest.mark.parametrize("change", TAMPERING, ids=lambda change: change.__name__)
def test_a_change_to_the_votes_is_found(change):
    log = parts()
    change(log["votes"])
    assert "root" in found_in(log)


@pytest.mark.parametrize("change", TAMPERING, ids=lambda change: change.__name__)
def test_a_change_to_the_votes_with_a_new_tree_is_found(change):
    log = parts()
    change(log["votes"])
    log["tree"] = resealed(log)["tree"]
    assert "signature" in found_in(log)


@pytest.mark.parametrize("change", TAMPERING, ids=lambda change: change.__name__)
def test_a_log_made_anew_with_another_key_is_found_by_root_or_key(change):
    """All that the file alone can tell is made to fit: only what observers hold tells."""
    log = parts()
    change(log["votes"])
    log["head"]["voted"] = len(log["votes"])
    for sector in log["head"]["sectors"]:
        sector["eligible"] = 1000
    forged = resealed(recounted(log), logs.OTHER_SIGNER)
    mail = parts()
    assert "other_root" in found_in(forged, expect_root=mail["tree"]["root"])
    assert "other_key" in found_in(forged, expect_key=mail["signature"]["key"])


@pytest.mark.parametrize("change", TAMPERING, ids=lambda change: change.__name__)
def test_a_changed_log_sealed_with_the_right_key_does_not_fit_the_mailed_root(change):
    log = parts()
    change(log["votes"])
    forged = resealed(recounted(log))
    assert "other_root" in found_in(forged, expect_root=parts()["tree"]["root"])


def test_a_doubled_receipt_is_found_even_where_everything_is_made_anew():
    log = parts()
    log["votes"][6]["receipt"] = log["votes"][5]["receipt"]
    assert found_in(resealed(log)) == ["doubled"]


def test_votes_are_as_many_as_voted():
    log = parts()
    log["votes"].append({**log["votes"][5], "receipt": receipt_of(99)})
    assert found_in(resealed(recounted(log))) == ["roll"]
    log = parts()
    log["tree"]["size"] += 1
    assert found_in(log) == ["signature", "size"]


def test_there_are_no_more_votes_than_voters():
    log = parts()
    for sector in log["head"]["sectors"]:
        sector["eligible"] = 3
    assert found_in(resealed(recounted(log))) == ["too_many"]


def leaves(value, place=()):
    """Every place in JSON data that holds no further data."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    inner = [leaf for key, item in items for leaf in leaves(item, (*place, key))]
    return inner or [place]


def put(log, place, value):
    for key in place[:-1]:
        log = log[key]
    log[place[-1]] = value


def at(log, place):
    for key in place:
        log = log[key]
    return log


def another(value):
    """A value of the same kind, so that the file can still be read where that is possible."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    if isinstance(value, str):
        return ("1" if value[:1] == "0" else "0") + value[1:]
    return [*value, "0"] if isinstance(value, list) else {**value, "0": 0} if isinstance(value, dict) else 0


@pytest.mark.parametrize("part", ["format", "head", "votes", "tree", "signature", "result"])
@pytest.mark.parametrize(("method", "settings"), CASES, ids=name)
def test_any_changed_value_is_found(method, settings, part):
    places = leaves(parts(method, **settings)[part], (part,))
    dice = random.Random(1)
    for place in dice.sample(places, min(len(places), 40)):
        log = parts(method, **settings)
        put(log, place, another(at(log, place)))
        assert found_in(log), place


@pytest.mark.parametrize("part", ["head", "tree", "signature", "result"])
def test_any_field_that_is_taken_out_or_put_in_is_found(part):
    for place in {leaf[:-1] for leaf in leaves(parts()[part], (part,)) if len(leaf) > 1}:
        held = at(parts(), place)
        for key in held if isinstance(held, dict) else range(len(held)):
            log = parts()
            del at(log, place)[key]
            assert found_in(log), (place, key)
        log = parts()
        held = at(log, place)
        held.update(more=1) if isinstance(held, dict) else held.append("more")
        assert found_in(log), place


ODD = [
    0,
    1,
    -1,
    2**53 - 1,
    2**53,
    10**30,
    "",
    "none",
    [],
    {},
    None,
    True,
    1.5,
    ["3"],
    [["3"]],
    {"3": 1},
    [[]],
]


@pytest.mark.parametrize(("method", "settings"), CASES, ids=name)
def test_an_odd_value_is_found_and_breaks_nothing(method, settings):
    """Sealed anew with the right key as well, so that nothing but the value itself is wrong."""
    dice = random.Random(f"{method} {settings}")
    places = leaves(parts(method, **settings)["head"], ("head",))
    for place in dice.choices(places, k=40):
        log = parts(method, **settings)
        value = dice.choice(
            [odd for odd in ODD if odd != at(log, place) or type(odd) is not type(at(log, place))]
        )
        put(log, place, value)
        assert found_in(log), (place, value)
        found_in(resealed(log))


@pytest.mark.parametrize("setting", [each.name for each in dataclasses.fields(Settings)])
def test_a_changed_setting_is_found(setting):
    log = parts()
    value = log["head"]["settings"][setting]
    put(log, ("head", "settings", setting), value[::-1] if isinstance(value, list) else another(value))
    assert "signature" in found_in(log)


def test_a_result_that_is_not_what_the_votes_count_to_is_found_under_the_right_seal():
    log = parts()
    log["result"]["winners"] = ["11" if log["result"]["winners"] != ["11"] else "3"]
    findings = log_check.check(log_reader.read(logs.text(resealed(log))))
    assert [finding.kind for finding in findings] == ["result"]
    assert "result, winners, entry 1" in findings[0].says


def test_many_differences_are_told_in_few_lines():
    log = parts()
    log["result"] = {f"field {n}": n for n in range(100)}
    kinds = found_in(resealed(log))
    assert kinds.count("result") == log_check.MOST_ALIKE
    assert kinds[-1] == "more"


# promises


def test_a_small_sector_told_apart_is_found():
    log = parts(votes=8)
    held = logs.election(votes=8, secret=False)
    told = logs.parts(held)
    for vote in told["votes"]:
        del vote["voter"]
    head = {**log["head"], "too_small": []}
    assert "alone" in found_in(logs.sealed(head, told["votes"], told["result"]))


def test_a_vote_that_names_its_sector_where_none_may_be_told_is_found():
    log = parts(votes=8)
    log["votes"][0]["sector"] = "public"
    assert "sector" in found_in(resealed(log))


def test_a_tie_order_of_somebodys_own_is_found():
    held = logs.election()
    held = dataclasses.replace(
        held, settings=dataclasses.replace(held.settings, tie_order=held.settings.tie_order[::-1])
    )
    assert found_in(logs.parts(held)) == ["tie_order"]


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        ("choice", lambda log: put(log, ("votes", 0, "choice"), {"approved": ["12"]})),
        ("choice", lambda log: put(log, ("votes", 0, "choice"), {"approved": ["3", "3"]})),
        ("choice", lambda log: put(log, ("votes", 0, "choice"), {"approved": 3})),
        ("choice", lambda log: put(log, ("votes", 0, "choice"), {"scores": {"3": 5}})),
        ("choice", lambda log: put(log, ("votes", 0, "choice"), {})),
        ("sector", lambda log: put(log, ("votes", 0, "sector"), "nobody")),
        ("sector", lambda log: put(log, ("votes", 0, "sector"), "")),
        ("receipt", lambda log: put(log, ("votes", 0, "receipt"), "12345")),
        ("receipt", lambda log: put(log, ("votes", 0, "receipt"), log["votes"][0]["receipt"].lower())),
        ("settings", lambda log: put(log, ("head", "settings", "method"), "lots")),
        ("settings", lambda log: put(log, ("head", "settings", "quorum"), 101)),
        ("settings", lambda log: put(log, ("head", "settings", "seats"), 0)),
        ("settings", lambda log: put(log, ("head", "options"), [])),
        ("sector_twice", lambda log: put(log, ("head", "sectors", 0, "key"), "business")),
        ("too_small", lambda log: put(log, ("head", "too_small"), ["nobody"])),
        ("mode", lambda log: put(log, ("head", "settings", "secret"), False)),
    ],
)
def test_what_cannot_be_is_found_under_the_right_seal(kind, change):
    log = parts()
    change(log)
    assert kind in found_in(resealed(log))


def test_findings_say_which_vote_and_line():
    log = parts()
    log["votes"][11]["choice"] = {"approved": ["12"]}
    said = [finding.says for finding in log_check.check(log_reader.read(logs.text(resealed(log))))]
    assert "Vote 12 (line 15), approved: 12 is not a solution on this ballot." in said


# what cannot be read says why


@pytest.mark.parametrize(
    ("says", "change"),
    [
        ("The file is empty.", lambda text: "  \n"),
        (
            "The file is cut off: it ends in the middle of line 9.",
            lambda text: "\n".join(text.split("\n")[:9])[:-3],
        ),
        ("Line 1, column 1: this is not JSON", lambda text: "<html>"),
        ("The file: an object is needed here, not a list.", lambda text: "[]"),
        ("The file: “format” is missing.", lambda text: "{}"),
        ("nested too deeply", lambda text: "[" * 100_000),
    ],
)
def test_what_is_no_log_says_so(says, change):
    with pytest.raises(Unreadable, match=re.escape(says)):
        log_reader.read(change(whole()))


@pytest.mark.parametrize(
    ("says", "old", "new"),
    [
        ("The format is “partnership-ballot-log/2”", "-log/1", "-log/2"),
        ("The format is “7”", '"partnership-ballot-log/1"', "7"),
        ("The file: “head” is missing.", '"head":', '"body":'),
        ("The name “votes” stands twice", '"tree":', '"votes":'),
        ("Vote 1 (line 4): “choice” is missing.", '"choice"', '"chosen"'),
        ("Vote 1 (line 4): “note” does not belong here.", '{"choice"', '{"note":1,"choice"'),
        ("Vote 1 (line 4): an object is needed here, not null.", '"votes":[', '"votes":[null,'),
        ("Vote 1 (line 4), sector: text is needed here, not a number.", '"sector":"public"', '"sector":1'),
        ("The file, head, ballot: a whole number", '"ballot":7', '"ballot":"7"'),
        ("The file, head, ballot: a whole number", '"ballot":7', '"ballot":true'),
        ("The file, head, ballot: a whole number", '"ballot":7', '"ballot":7.5'),
        ("The file, head, ballot: a whole number", '"ballot":7', '"ballot":-7'),
        ("The file, head, ballot: a whole number", '"ballot":7', f'"ballot":{2**53}'),
        ("The file, head, unit: text is needed here, not null.", '"unit":"days"', '"unit":null'),
        ("The file, head, too_small: a list is needed here, not text.", '"too_small":[]', '"too_small":"x"'),
        (
            "The file, head, closes_at: a time such as",
            '"closes_at":"2026-11-09T08',
            '"closes_at":"2026-11-09T25',
        ),
        ("The file, head, closes_at: a time such as", '"closes_at":"2026', '"closes_at":"0026-2026'),
        (
            "The file, head, mode: one of these is needed here: open, secret",
            '"secret","opens_at"',
            '"mute","opens_at"',
        ),
        (
            "The file, head, mode: one of these is needed here: open, secret",
            '"secret","opens_at"',
            '[],"opens_at"',
        ),
        ("The file, head, settings, secret: true or false is needed here", '"secret":true', '"secret":1'),
        ("NaN is no number", '"ballot":7', '"ballot":NaN'),
        ("Exceeds the limit", '"ballot":7', f'"ballot":{"7" * 5000}'),
        ("a lone surrogate", "Kako", "\\ud800"),
        ("The file, tree, root: 64 hexadecimal digits", '"root":"', '"root":"F'),
        ("The file, signature, value: 128 hexadecimal digits", '"value":"', '"value":"0'),
        ("Vote 1 (line 4): “voter” is missing.", '"secret","opens_at"', '"open","opens_at"'),
    ],
)
def test_a_field_that_is_wrong_is_named(says, old, new):
    assert old in whole()
    with pytest.raises(Unreadable, match=re.escape(says)):
        log_reader.read(whole().replace(old, new, 1))


# receipts


def test_a_receipt_is_proved_against_the_root():
    log = log_reader.read(whole())
    for index, vote in enumerate(log.votes):
        proof = ballot_log.receipt_proof(log, vote["receipt"].lower().replace("-", " "))
        assert (proof.index, proof.vote, proof.root) == (index, vote, log.tree["root"])
        path = [bytes.fromhex(step) for step in proof.path]
        leaf = ballot_log.leaf(7, vote)
        assert merkle.verify_inclusion(leaf, index, proof.size, path, bytes.fromhex(log.tree["root"]))
        assert merkle.leaf_hash(leaf).hex() == proof.leaf_hash
        assert not merkle.verify_inclusion(
            ballot_log.leaf(8, vote), index, proof.size, path, bytes.fromhex(proof.root)
        )


@pytest.mark.parametrize("text", ["", "nonsense", receipt_of(4711), receipt_of(4711)[:-1]])
def test_there_is_no_proof_of_a_receipt_that_is_not_there(text):
    assert ballot_log.receipt_proof(log_reader.read(whole()), text) is None


def test_a_signed_receipt_is_for_one_ballot_code_and_choice():
    said = {
        ballot_log.receipt_message(ballot, code, choice)
        for ballot in (7, 8)
        for code in ("A", "B")
        for choice in ({"approved": ["3"]}, {"none": True})
    }
    assert len(said) == 8
    assert b'"format":"partnership-receipt/1"' in min(said)


def test_many_votes_take_seconds():
    held = logs.election(votes=30_000)
    text = logs.text(logs.parts(held))
    began = time.process_time()
    assert found(text) == []
    assert time.process_time() - began < 6


def test_pooled_and_published_elections_count_alike():
    held = sector_rule.pooled(logs.election(votes=8))
    read = ballot_log.election_of(log_reader.read(whole(votes=8)))
    assert count.count(held) == count.count(read)
