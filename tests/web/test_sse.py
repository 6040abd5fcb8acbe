"""The line to one reader: at once where the connection takes it, bounded where it does not."""

import asyncio

import pytest

from app.web import sse
from app.web.sse import Reader

pytestmark = pytest.mark.anyio


class Connection:
    """A connection that takes what is sent, or lets it wait; `taken` is what went through."""

    def __init__(self):
        self.taken = []
        self.takes = asyncio.Event()
        self.takes.set()
        self.fault = None

    async def send(self, message):
        if self.fault:
            raise self.fault
        while not self.takes.is_set():
            await self.takes.wait()
        if message["type"] == "http.response.body":
            self.taken.append(message["body"])

    def reader(self):
        who = {"board_id": 1, "programme_id": 1, "person_id": 1, "session_id": 1, "language": "en"}
        return Reader(self.send, sse.end(b"too slow"), **who)

    async def open(self):
        reader = self.reader()
        await reader.open(b"first", 10)
        return reader


async def test_a_message_goes_out_at_once_and_without_a_task():
    connection = Connection()
    reader = await connection.open()
    tasks = len(asyncio.all_tasks())
    reader.put(sse.body(b"now"), 11)
    assert connection.taken == [b"first", b"now"]
    assert len(asyncio.all_tasks()) == tasks
    assert reader.keeps_up


async def test_what_comes_before_the_opening_waits_for_it():
    connection = Connection()
    reader = connection.reader()
    reader.put(sse.body(b"meanwhile"), 11)
    assert not connection.taken
    await reader.open(b"first", 10)
    assert connection.taken == [b"first", b"meanwhile"]


async def test_what_the_reader_has_is_left_out():
    connection = Connection()
    reader = connection.reader()
    reader.put(sse.body(b"in the past"), 10)
    await reader.open(b"first", 10)
    reader.put(sse.body(b"again"), 9)
    reader.put(sse.body(b"new"), 11)
    reader.put(sse.body(b"new again"), 11)
    assert connection.taken == [b"first", b"new"]


async def test_a_reader_who_was_slow_gets_everything_in_order():
    connection = Connection()
    reader = await connection.open()
    connection.takes.clear()
    for id in range(11, 31):
        reader.put(sse.body(b"%d" % id), id)
    await asyncio.sleep(0.01)
    assert not reader.keeps_up
    assert connection.taken == [b"first"]
    connection.takes.set()
    await asyncio.sleep(0.01)
    reader.put(sse.body(b"31"), 31)
    assert connection.taken[1:] == [b"%d" % id for id in range(11, 32)]
    assert reader.keeps_up


@pytest.mark.parametrize(("size", "fit"), [(1, sse.LONGEST_LINE), (sse.LARGEST_LINE_BYTES // 4, 4)])
async def test_a_line_has_an_end(size, fit):
    connection = Connection()
    reader = await connection.open()
    connection.takes.clear()
    for id in range(11, 12 + fit):  # one is on its way, the others stand in line
        reader.put(sse.body(b"x" * size), id)
        assert not reader.was_too_slow
    reader.put(sse.body(b"x" * size), 12 + fit)
    assert reader.was_too_slow
    reader.put(sse.body(b"more"), 13 + fit)
    connection.takes.set()
    await asyncio.sleep(0.01)
    assert connection.taken == [b"first", b"x" * size, b"too slow"]


async def test_nothing_follows_the_last_message():
    connection = Connection()
    reader = await connection.open()
    reader.finish(sse.end(b"good-bye"))
    reader.put(sse.body(b"more"), 99)
    reader.finish(sse.end(b"again"))
    assert connection.taken == [b"first", b"good-bye"]


async def test_a_reader_who_has_left_is_no_error():
    connection = Connection()
    reader = await connection.open()
    connection.fault = OSError("gone")
    reader.put(sse.body(b"unread"), 11)
    assert reader.is_finished


async def test_a_message_is_written_as_the_standard_says():
    assert sse.encode("", event="live", id=7, retry_ms=1000) == b"retry: 1000\nid: 7\nevent: live\ndata: \n\n"
    assert sse.encode("one\ntwo") == b"data: one\ndata: two\n\n"
    assert sse.encode("one\u2028two\x85") == "data: one\u2028two\x85\n\n".encode()


async def test_what_people_wrote_cannot_end_a_message():
    encoded = sse.encode("one\r\n\r\nevent: forged\rdata: x", id=7)
    assert encoded == b"id: 7\ndata: one\ndata: \ndata: event: forged\ndata: data: x\n\n"
