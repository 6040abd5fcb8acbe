"""The work behind `partnership verify`: a ballot's log is read, checked and counted again, without a database."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

from app.lib import signatures
from app.lib.receipts import normal_receipt
from app.methods import ballot_log, count, log_check, log_reader
from app.methods.ballot_log import Log, Proof
from app.methods.election import Reason, Result, Tie
from app.methods.log_check import Expected, Finding
from app.methods.log_reader import Unreadable

RULES: Final[Mapping[str, str]] = {
    "least_sector": "ranked by support in the sector that likes it less",
    "both_sectors": "the stated support in each sector",
    "equal_weight": "each sector weighs the same, whatever its size",
    "bridging": "ranked by the product of the sectors' support",
    "one_person": "each person weighs the same, whatever their sector",
    "equal_split": "the money is split equally between sectors",
}


@dataclass(frozen=True, slots=True)
class Report:
    """What a log holds, and what is wrong with it. `result` is what its votes count to, None if they cannot be."""

    log: Log
    result: Result | None
    fingerprint: str
    findings: tuple[Finding, ...]
    receipt: Proof | None = None

    @property
    def is_whole(self) -> bool:
        """Whether nothing is wrong."""
        return not self.findings


def verify(file: Path, expected: Expected, receipt: str | None = None) -> Report:
    """Read the log in `file`, check all of it, count it again, and look for a receipt if there is one.

    :raises Unreadable: there is no such file, or it is no ballot log
    """
    log = log_reader.read(_read(file))
    found = log_check.examine(log, expected)
    fingerprint = signatures.fingerprint(bytes.fromhex(log.signature["key"]))
    report = Report(log, found.result, fingerprint, found.findings)
    return report if receipt is None else _with_receipt(report, receipt)


def told(report: Report) -> Iterator[str]:
    """The report for people, line by line; what a file holds cannot steer the terminal."""
    for line in _lines(report):
        yield "".join(sign if sign.isprintable() else "\ufffd" for sign in line)


def as_json(report: Report) -> dict[str, Any]:
    """The report for programs, as plain JSON data."""
    head = report.log.head
    result = json.loads(json.dumps(count.to_json(report.result))) if report.result else None
    return {
        "whole": report.is_whole,
        "findings": [
            {"kind": finding.kind, "says": finding.says, "values": dict(finding.values)}
            for finding in report.findings
        ],
        "ballot": head["ballot"],
        "installation": head["installation"],
        "title": head["title"],
        "votes": len(report.log.votes),
        "root": report.log.tree["root"],
        "key": report.log.signature["key"],
        "fingerprint": report.fingerprint,
        "result": result,
        "receipt": asdict(report.receipt) if report.receipt else None,
    }


def _read(file: Path) -> str:
    try:
        return file.read_bytes().decode()
    except UnicodeDecodeError as error:
        raise Unreadable(f"{file}: the file is not UTF-8 from byte {error.start + 1} on.") from None
    except OSError as error:
        raise Unreadable(f"{file}: {error.strerror}.") from None


def _with_receipt(report: Report, receipt: str) -> Report:
    proof = ballot_log.receipt_proof(report.log, receipt)
    if proof:
        return replace(report, receipt=proof)
    missing = Finding("no_receipt", "The receipt %(receipt)s is not in this log.", {"receipt": receipt})
    if normal_receipt(receipt) is None:
        message = "%(receipt)s is no receipt: look for a typing error."
        missing = Finding("receipt_typed", message, {"receipt": receipt})
    return replace(report, findings=(*report.findings, missing))


def _lines(report: Report) -> Iterator[str]:
    head = report.log.head
    yield f"Ballot {head['ballot']} at {head['installation']}: {head['title']}"
    yield f"  of the challenge: {head['challenge']} ({head['programme']})"
    yield f"  closed {head['closes_at']}, {head['mode']} votes, {len(report.log.votes):,} of them"
    for change in head["changes"]:
        yield f"  {change['kind']} by {change['by']}, to {change['to']}: {change['reason']}"
    if report.result:
        yield from _result_told(report.result, report.log)
    yield f"Root: {report.log.tree['root']}"
    yield f"Key:  {report.fingerprint}"
    yield "  Compare these with the mail that observers got."
    if report.receipt:
        yield from _receipt_told(report.receipt)
    if report.is_whole:
        yield "Whole: the votes lead to the signed root, and count to the published result."
    for finding in report.findings:
        yield f"WRONG: {finding.says}"


def _result_told(result: Result, log: Log) -> Iterator[str]:
    titles = {option["key"]: option["title"] for option in log.head["options"]}
    yield f"Counted again: {result.method}, {result.rule} ({RULES[result.rule]})"
    for row in result.turnout:
        name = row.sector or f"all together, too few in {', '.join(log.head['too_small'])}"
        yield f"  {name}: {row.voted:,} of {row.eligible:,} voted, {row.counted:,} votes count"
    for key in result.order:
        support = next(standing.support for standing in result.standings if standing.key == key)
        pairs = zip(result.sectors, support, strict=True)
        shares = ", ".join(f"{sector or 'all'} {yes:,}/{votes:,}" for sector, (yes, votes) in pairs)
        yield f"  {'CHOSEN' if key in result.winners else '      '}  {titles[key]} [{key}]: {shares}"
    for reason in result.reasons:
        yield f"  {_reason_told(reason)}"
    for tie in result.ties:
        yield f"  {_tie_told(tie)}"


def _reason_told(reason: Reason) -> str:
    values = {
        name: ", ".join(value) if isinstance(value, list | tuple) else value
        for name, value in reason.values.items()
    }
    return count.WORDS[reason.code] % values


def _tie_told(tie: Tie) -> str:
    return f"Tied ({tie.over}): {', '.join(tie.between)}. By the tie order {tie.first} came first."


def _receipt_told(proof: Proof) -> Iterator[str]:
    yield f"Receipt {proof.vote['receipt']}: {log_reader.where(proof.index)}"
    yield f"  {json.dumps(proof.vote['choice'], ensure_ascii=False)}"
