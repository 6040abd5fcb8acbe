"""`partnership verify`: a log is checked and counted again with nothing but the file."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from app.lib.receipts import receipt_of
from app.lib.signatures import fingerprint
from app.methods import ballot_log
from app.methods.election import RULES, Vote
from app.services import verification
from tests.factories import logs
from tests.operation.test_commands import partnership

ROOT = Path(__file__).parent.parent.parent
NOWHERE = "postgresql://nobody@127.0.0.1:1/none"
LOG = logs.parts(logs.election(rule="least_sector", threshold=30, seats=2))
TEXT = logs.text(LOG)
MAILED_ROOT = LOG["tree"]["root"]
MAILED_KEY = fingerprint(logs.SIGNER.public_key().public_bytes_raw())


@pytest.fixture
def verify(tmp_path):
    """Runs the command on a text; there is no database, and no settings that would do."""

    def run(text, *arguments):
        file = tmp_path / "log.json"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        return partnership(NOWHERE, "verify", file, *arguments, PARTNERSHIP_ENVIRONMENT="production")

    return run


def test_a_whole_log_is_counted_again(verify):
    told = verify(TEXT, "--root", MAILED_ROOT, "--key", MAILED_KEY, "--ballot", 7)
    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert lines[0] == "Ballot 7 at https://partnership.example: Kako naprej? “Now”"
    assert (
        "Counted again: approval, least_sector (ranked by support in the sector that likes it less)" in lines
    )
    assert "  CHOSEN  One form [3]: public 9/20, business 8/18" in lines
    assert "          A list [11]: public 7/20, business 8/18" in lines
    assert "  public: 20 of 40 voted, 20 votes count" in lines
    assert "  extension by Maja Novak, to 2026-11-09T08:00:00.000000Z: A holiday came between." in lines
    assert f"Root: {MAILED_ROOT}" in lines
    assert f"Key:  {MAILED_KEY}" in lines
    assert "  Compare these with the mail that observers got." in lines
    assert lines[-1] == "Whole: the votes lead to the signed root, and count to the published result."


def test_sectors_that_are_too_small_are_told_together(verify):
    told = verify(logs.text(logs.parts(logs.election(votes=8, rule="both_sectors"))))
    assert told.returncode == 0
    assert (
        "  all together, too few in public, business: 8 of 16 voted, 7 votes count"
        in told.stdout.splitlines()
    )
    assert "Fewer than 5 people voted in public, business." in told.stdout
    assert "CHOSEN" not in told.stdout


@pytest.mark.parametrize("votes", [1, 4])
def test_fewer_than_five_secret_votes_are_neither_published_nor_counted(verify, votes):
    log = logs.parts(logs.election(votes=votes))
    told = verify(logs.text(log))
    assert told.returncode == 0
    assert log["votes"] == []
    assert f"Only {votes} people voted." in told.stdout
    assert "CHOSEN" not in told.stdout


def test_votes_are_kept_back_only_where_they_are_few(verify):
    log = logs.parts(logs.election(votes=20))
    head = {**log["head"], "withheld": 20, "too_small": ["public", "business"]}
    told = verify(logs.text(logs.sealed(head, [], log["result"])))
    assert told.returncode == 1
    assert "Votes are kept back though there are enough of them to be published." in told.stdout


def test_fewer_than_five_secret_votes_must_not_stand_in_a_log(verify):
    log = logs.parts(logs.election(votes=8))
    head = {**log["head"], "voted": 4}
    told = verify(logs.text(logs.sealed(head, log["votes"][:4], log["result"])))
    assert told.returncode == 1
    assert "There are fewer than 5 votes, and yet they are published." in told.stdout


def test_a_tie_and_what_decided_it_are_told(verify):
    held = logs.election()
    votes = [Vote(sector, {"approved": ["3", "5"]}) for sector in ("public", "business") for _ in range(6)]
    log = logs.parts(replace(held, votes=votes))
    first, second = [key for key in held.settings.tie_order if key in {"3", "5"}]
    told = verify(logs.text(log))
    assert told.returncode == 0
    assert (
        f"  Tied (seat): {first}, {second}. By the tie order {first} came first." in told.stdout.splitlines()
    )


def test_a_ballot_without_votes_is_counted_again(verify):
    told = verify(logs.text(logs.parts(logs.election(votes=0, secret=False))))
    assert told.returncode == 0
    assert "  Nobody has voted for or against anything, so nothing is chosen." in told.stdout.splitlines()


@pytest.mark.parametrize("method", ["score", "ranked", "points", "quadratic", "budget"])
def test_every_method_is_counted_again(verify, method):
    log = logs.parts(logs.election(method))
    told = verify(logs.text(log))
    assert told.returncode == 0
    assert told.stdout.count("CHOSEN") == len(log["result"]["winners"]) > 0


def test_every_rule_has_words():
    assert set(verification.RULES) == set(RULES)


def test_a_changed_vote_is_status_1_and_told(verify):
    log = json.loads(TEXT)
    log["votes"][3]["choice"] = {"none": True}
    told = verify(logs.text(log))
    assert told.returncode == 1
    wrong = [line for line in told.stdout.splitlines() if line.startswith("WRONG: ")]
    assert wrong[0].startswith("WRONG: The votes do not lead to the root")
    assert any("The result is not what the votes count to: result, " in line for line in wrong)
    assert "Whole" not in told.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--root", "00" * 32], f"The root is {MAILED_ROOT}, not {'00' * 32}."),
        (["--key", "00" * 32], f"It is signed with the key {MAILED_KEY}, not {'00' * 32}."),
        (["--ballot", "8"], "This is the log of ballot 7, not of 8."),
        (["--receipt", receipt_of(1)], f"The receipt {receipt_of(1)} is not in this log."),
        (["--receipt", "K7Q2M"], "K7Q2M is no receipt: look for a typing error."),
    ],
)
def test_what_does_not_fit_is_told(verify, arguments, says):
    told = verify(TEXT, *arguments)
    assert told.returncode == 1
    assert told.stdout.splitlines()[-1] == f"WRONG: {says}"


def test_a_receipt_is_found_as_people_type_it(verify):
    vote = LOG["votes"][4]
    told = verify(TEXT, "--receipt", vote["receipt"].lower().replace("-", ""))
    assert told.returncode == 0
    assert f"Receipt {vote['receipt']}: Vote 5 (line 8)\n  {json.dumps(vote['choice'])}" in told.stdout


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "The file is empty."),
        (
            TEXT[:2000],
            f"The file is cut off: it ends in the middle of line {TEXT[:2000].count(chr(10)) + 1}.",
        ),
        (TEXT.encode()[:500] + b"\xff" + TEXT.encode()[501:], "the file is not UTF-8 from byte 501 on."),
        (TEXT.replace("ballot-log/1", "ballot-log/9"), "The format is “partnership-ballot-log/9”"),
        ('{"votes": []}', "The file: “format” is missing."),
    ],
)
def test_what_cannot_be_read_is_status_2(verify, text, says):
    told = verify(text)
    assert (told.returncode, told.stdout) == (2, "")
    assert says in told.stderr
    assert told.stderr.startswith("partnership: ")


def test_a_file_that_is_not_there_is_status_2(tmp_path):
    for file in (tmp_path / "none.json", tmp_path):
        told = partnership(NOWHERE, "verify", file)
        assert (told.returncode, told.stdout) == (2, "")
        assert str(file) in told.stderr


def test_programs_get_json(verify):
    vote = LOG["votes"][4]
    told = json.loads(verify(TEXT, "--json", "--receipt", vote["receipt"]).stdout)
    assert (told["whole"], told["findings"], told["ballot"], told["votes"]) == (True, [], 7, 40)
    assert told["result"] == json.loads(json.dumps(LOG["result"]))
    assert (told["root"], told["fingerprint"]) == (MAILED_ROOT, MAILED_KEY)
    assert (told["receipt"]["index"], told["receipt"]["vote"]) == (4, vote)
    refused = verify(TEXT, "--json", "--ballot", "8")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["findings"] == [
        {
            "kind": "other_ballot",
            "says": "This is the log of ballot 7, not of 8.",
            "values": {"found": 7, "wanted": 8},
        }
    ]


def test_a_file_cannot_steer_the_terminal(verify):
    told = verify(logs.text(logs.parts(logs.election(), title="\x1b[2J\x1b]0;x\x07\u202eall is well\r\n")))
    assert told.returncode == 0
    assert set("\x1b\x07\u202e\r").isdisjoint(told.stdout)


def test_no_database_and_no_web_is_loaded(tmp_path):
    file = tmp_path / "log.json"
    file.write_text(TEXT)
    heavy = "('fastapi', 'sqlalchemy', 'sqlmodel', 'starlette', 'dbos', 'app.settings', 'app.database')"
    program = (
        "import sys; from app import cli\n"
        f"sys.argv = ['partnership', 'verify', {str(file)!r}]\n"
        "try: cli.main()\n"
        f"except SystemExit as end: print(end.code, [name for name in {heavy} if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert told.stdout.splitlines()[-1] == "0 []"


# the documentation


def documented():
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs/ballot-log.md").read_text(), re.DOTALL)
    return found[1]


def recounted(tmp_path, log):
    program, file = tmp_path / "recount.py", tmp_path / "log.json"
    program.write_text(documented())
    file.write_text(logs.text(log))
    # Alone (-I), and without what is installed beside Python (-S).
    return subprocess.run(
        [sys.executable, "-I", "-S", program, file],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("threshold", [0, 40, 50])
def test_the_documented_program_counts_a_log_again(tmp_path, seed, threshold):
    held = logs.election(votes=60, seed=seed, rule="least_sector", seats=2, threshold=threshold)
    log = logs.parts(held)
    told = recounted(tmp_path, log)
    assert (told.returncode, told.stderr) == (0, "")
    lines = told.stdout.splitlines()
    assert lines[0] == f"root {log['tree']['root']}"
    assert lines[-1].split() == ["chosen", *log["result"]["winners"]]
    for standing in log["result"]["standings"]:
        shares = [f"{row['sector']} {row['yes']}/{row['votes']}" for row in standing["support"]]
        assert " ".join([standing["key"], *shares]) in lines


def test_the_documented_program_finds_a_changed_vote(tmp_path):
    log = json.loads(TEXT)
    log["votes"][3]["choice"] = {"none": True}
    assert recounted(tmp_path, log).returncode == 1


def test_the_documented_program_is_short():
    assert len([line for line in documented().splitlines() if line.strip()]) <= 40


def test_every_part_of_the_head_is_documented():
    text = (ROOT / "docs/ballot-log.md").read_text()
    head = LOG["head"]
    names = [*head, *head["settings"], *head["options"][0], *head["sectors"][0], *head["changes"][0], *RULES]
    assert [name for name in names if f"`{name}`" not in text] == []
    assert ballot_log.FORMAT in text
    assert ballot_log.RECEIPT_FORMAT in text


def test_text_of_a_file_is_told_as_it_is(verify):
    log = json.loads(TEXT)
    log["votes"][0]["sector"] = "100 %s"
    assert "WRONG: Vote 1 (line 4): there is no sector 100 %s." in verify(logs.text(log)).stdout.splitlines()
