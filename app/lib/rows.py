"""Rows of a file as programs and spreadsheets write them: CSV, a JSON array, JSON Lines.

Read as it comes, in pieces, so that a large file never stands in memory as a whole. What a row means is for others.
"""

import codecs
import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, TextIO

from app.lib.i18n import N_

CSV, JSON, JSON_LINES = "csv", "json", "jsonl"
FORMATS: Final = (CSV, JSON, JSON_LINES)

DELIMITERS: Final = (",", ";", "\t")
"""What may stand between two cells: Excel writes a semicolon where a comma stands in decimal numbers."""

LONGEST: Final = 128 * 1024
"""Characters of one cell, as the `csv` module has it, and of one JSON value of a list."""

_BLANKS: Final = " \t\r\n"
_PIECE: Final = 64 * 1024
_UTF_16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Unreadable(ValueError):
    """The file cannot be read as what it says it is; `message` is a msgid, filled with `values`."""

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


@dataclass(frozen=True, slots=True)
class Row:
    """One row: the cells of a CSV with the names of its header, or the `text` of a JSON value.

    `number` counts from 1, `line` is where it begins in the file.
    """

    number: int
    line: int
    names: Sequence[str] = ()
    cells: Sequence[str] = ()
    text: str = ""


def check_text(content: bytes) -> None:
    """Whether a file is text in UTF-8, with or without a byte order mark.

    :raises Unreadable: it says at which line and byte it is not
    """
    if content.startswith(_UTF_16):
        raise Unreadable(
            N_("The file is in UTF-16. Please save it as “CSV UTF-8” or with the encoding UTF-8.")
        )
    nul = content.find(b"\0")
    if nul >= 0:
        raise Unreadable(
            N_("The file holds a NUL at line %(line)s (byte %(byte)s). Please save it as text in UTF-8."),
            line=_line_of(content, nul),
            byte=nul + 1,
        )
    try:
        content.decode()
    except UnicodeDecodeError as error:
        raise Unreadable(
            N_(
                "The file is not valid UTF-8 at line %(line)s (byte %(byte)s). Please save it with the encoding UTF-8."
            ),
            line=_line_of(content, error.start),
            byte=error.start + 1,
        ) from None


def _line_of(content: bytes, place: int) -> int:
    before = content[:place]
    return before.count(b"\n") + before.count(b"\r") - before.count(b"\r\n") + 1


def opened(pieces: Iterable[bytes]) -> TextIO:
    """The text of a file that comes in pieces, without its byte order mark; line ends stay as they are."""
    return io.TextIOWrapper(io.BufferedReader(_Pieces(pieces)), encoding="utf-8-sig", newline="")


class _Pieces(io.RawIOBase):
    """Pieces of bytes as a stream."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = iter(pieces)
        self._left = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while not self._left:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._left = memoryview(piece)
        some = self._left[: len(buffer)]
        buffer[: len(some)] = some
        self._left = self._left[len(some) :]
        return len(some)


def header(text: TextIO) -> tuple[str, list[str]]:
    """The first line of a CSV: what stands between its cells, and the names in it.

    :raises Unreadable: there is none
    """
    line = text.readline(LONGEST)
    if not line.strip():
        raise Unreadable(N_("The file has no header: its first line has to name the columns."))
    delimiter = max(DELIMITERS, key=line.count)
    try:
        names = next(csv.reader([line], delimiter=delimiter, strict=True))
    except csv.Error:
        raise _bad_csv(1) from None
    names = [name.strip() for name in names]
    while names and not names[-1]:
        names.pop()  # a spreadsheet writes empty columns to the right along
    return delimiter, names


def read(text: TextIO, format: str) -> Iterator[Row]:
    """The rows of a file, in order; of a CSV those below its header. Empty lines are no rows.

    :raises Unreadable: from here on it cannot be read
    """
    yield from {CSV: _read_csv, JSON: _read_array, JSON_LINES: _read_lines}[format](text)


def _read_csv(text: TextIO) -> Iterator[Row]:
    delimiter, names = header(text)
    reader = csv.reader(text, delimiter=delimiter, strict=True)
    number = 0
    while True:
        line = reader.line_num + 2
        try:
            cells = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            if "field limit" in str(error):
                raise Unreadable(
                    N_(
                        "A cell at line %(line)s is longer than %(most)s characters, "
                        "or its quotation mark is not closed."
                    ),
                    line=line,
                    most=LONGEST,
                ) from None
            raise _bad_csv(line) from None
        if any(cell.strip() for cell in cells):
            number += 1
            yield Row(number, line, names, cells)


def _bad_csv(line: int) -> Unreadable:
    return Unreadable(
        N_(
            "The row at line %(line)s cannot be read: a quotation mark is not closed, or stands where none can. "
            "Inside a quoted cell it is written twice."
        ),
        line=line,
    )


def _read_lines(text: TextIO) -> Iterator[Row]:
    number = line = 0
    while found := text.readline(LONGEST + 1):
        line += 1
        if len(found) > LONGEST:
            raise _too_long(line)
        if found.strip(_BLANKS):
            number += 1
            yield Row(number, line, text=found.strip(_BLANKS))


def begin_list(text: TextIO) -> "_Window":
    """Step into the JSON list that begins here.

    :raises Unreadable: something else does
    """
    window = _Window(text)
    if window.next_mark() != "[":
        raise Unreadable(N_("The file is no JSON list: it has to begin with a square bracket."))
    window.step()
    return window


def _read_array(text: TextIO) -> Iterator[Row]:
    window = begin_list(text)
    number = 0
    if window.next_mark() == "]":
        window.step()
    else:
        while True:
            number += 1
            yield window.value(number)
            mark = window.next_mark()
            window.step()
            if mark == "]":
                break
            if mark != ",":
                raise _bad_json(window.line)
    if window.next_mark():
        raise Unreadable(N_("Something follows the JSON list at line %(line)s."), line=window.line)


class _Window:
    """The part of a text that is looked at: read on when a value may not be whole yet."""

    def __init__(self, text: TextIO) -> None:
        self.line = 1
        self._text = text
        self._seen = ""
        self._at = 0

    def next_mark(self) -> str:
        """The next character that is no white space, without taking it; empty at the end."""
        while True:
            while self._at < len(self._seen):
                mark = self._seen[self._at]
                if mark not in _BLANKS:
                    return mark
                self.step()
            if not self._read_on():
                return ""

    def step(self) -> None:
        """Go one character on."""
        if self._seen[self._at : self._at + 1] == "\n":
            self.line += 1
        self._at += 1

    def value(self, number: int) -> Row:
        """The object that begins here."""
        if self.next_mark() != "{":
            raise Unreadable(
                N_("Entry %(number)s of the list, at line %(line)s, is no object."),
                number=number,
                line=self.line,
            )
        while True:
            try:
                _, end = _LOOSE.raw_decode(self._seen, self._at)
            except RecursionError:
                raise Unreadable(
                    N_("The value at line %(line)s is nested too deeply."), line=self.line
                ) from None
            except json.JSONDecodeError as error:
                if len(self._seen) - self._at > LONGEST:
                    raise _too_long(self.line) from None
                if not self._may_be_cut(error) or not self._read_on():
                    raise _bad_json(self.line) from None
                continue
            found = self._seen[self._at : end]
            if len(found) > LONGEST:
                raise _too_long(self.line)
            row = Row(number, self.line, text=found)
            self.line += found.count("\n")
            self._at = end
            return row

    def _may_be_cut(self, error: json.JSONDecodeError) -> bool:
        """Whether more of the text could make whole what is wrong: the longest cut mark is an escape."""
        return error.msg.startswith("Unterminated") or error.pos > len(self._seen) - 8

    def _read_on(self) -> bool:
        more = self._text.read(_PIECE)
        self._seen = self._seen[self._at :] + more
        self._at = 0
        return bool(more)


_LOOSE: Final = json.JSONDecoder(parse_int=str, parse_float=str)
"""Finds where a value ends; whoever takes the value reads it strictly."""


def _bad_json(line: int) -> Unreadable:
    return Unreadable(N_("The value that begins at line %(line)s is not valid JSON."), line=line)


def _too_long(line: int) -> Unreadable:
    return Unreadable(
        N_("The value at line %(line)s is longer than %(most)s characters."), line=line, most=LONGEST
    )
