"""Look-ups of names: one for each name, and a name server that hangs holds up nobody else."""

import asyncio
import ipaddress
import socket
import threading

import pytest

from app.integrations import hooks, names
from app.integrations.hooks import Call, Caller
from app.integrations.names import Crowded, Names
from app.lib import clock, secrets
from tests.factories.receivers import Receiver

pytestmark = pytest.mark.anyio

REAL = socket.getaddrinfo


class Servers:
    """Name servers: those of `*.slow.example` say nothing before they are let; the others answer."""

    def __init__(self):
        self.asked = []
        self.let = threading.Event()

    def getaddrinfo(self, host, *details, **named):
        self.asked.append(host)
        if not str(host).endswith(".slow.example"):
            return REAL(host, *details, **named)
        self.let.wait(30)
        raise socket.gaierror(-3, "temporary failure")


@pytest.fixture
def servers(monkeypatch):
    servers = Servers()
    monkeypatch.setattr(socket, "getaddrinfo", servers.getaddrinfo)
    yield servers
    servers.let.set()


async def hanging(found, servers, *hosts):
    """Look-ups that are in hand and do not end."""
    tasks = [asyncio.create_task(found.addresses(host)) for host in hosts]
    async with asyncio.timeout(10):
        while not set(hosts) <= set(servers.asked):
            await asyncio.sleep(0.01)
    return tasks


async def ended(servers, found, tasks):
    """Their name servers give up at last."""
    servers.let.set()
    assert await asyncio.gather(*tasks) == [[]] * len(tasks)
    assert found._in_hand == {}
    servers.let.clear()
    servers.asked.clear()


async def test_an_address_is_looked_up_by_nobody(servers):
    for host in ("127.0.0.1", "8.8.8.8", "::1", "2001:db8::1"):
        assert await Names().addresses(host) == [ipaddress.ip_address(host)]
    assert servers.asked == []
    assert await Names().addresses("localhost")
    assert servers.asked == ["localhost"]


async def test_whoever_asks_for_a_name_that_is_looked_up_waits_for_the_same_answer(servers):
    found = Names()
    tasks = await hanging(found, servers, *["one.slow.example"] * 4)
    tasks.pop().cancel()
    await asyncio.sleep(0)
    assert servers.asked == ["one.slow.example"]
    await ended(servers, found, tasks)
    servers.let.set()
    assert await found.addresses("one.slow.example") == []
    assert servers.asked == ["one.slow.example"], "an answer was kept"


async def test_where_too_many_hang_another_name_is_told_so_at_once(servers):
    found = Names(most=3)
    tasks = await hanging(found, servers, *(f"{number}.slow.example" for number in range(3)))
    with pytest.raises(Crowded):
        await found.addresses("localhost")
    assert await found.addresses("127.0.0.1")
    await ended(servers, found, tasks)
    assert await found.addresses("localhost")


async def test_names_that_were_slow_before_leave_room_for_others(servers, monkeypatch):
    monkeypatch.setattr(names, "SLOW_S", -1.0)
    found = Names(most=4)
    hosts = [f"{number}.slow.example" for number in range(4)]
    await ended(servers, found, await hanging(found, servers, *hosts))
    tasks = await hanging(found, servers, *hosts[:2])
    with pytest.raises(Crowded):
        await found.addresses(hosts[2])
    assert await found.addresses("localhost")
    await ended(servers, found, tasks)
    monkeypatch.setattr(names, "SLOW_S", 60.0)
    await ended(servers, found, await hanging(found, servers, *hosts[2:]))
    await ended(servers, found, await hanging(found, servers, *hosts[:1], *hosts[2:]))


async def test_receivers_whose_name_servers_hang_hold_up_no_other(servers):
    """As many as there are threads for, each with all the messages that it is sent at once."""
    here = Caller(allow_loopback=True, timeout_s=5.0)
    hosts = [f"{number}.slow.example" for number in range(names.MOST)]
    with Receiver() as receiver:
        named = receiver.url.replace("127.0.0.1", "localhost")
        many = [asyncio.create_task(here.call(_call(f"https://{host}/"))) for host in hosts[:16] * 4]
        async with asyncio.timeout(10):
            while not set(hosts[:16]) <= set(servers.asked):
                await asyncio.sleep(0.01)
        assert len(servers.asked) == 16
        assert (await here.call(_call(named))).error is None
        many += [asyncio.create_task(here.call(_call(f"https://{host}/"))) for host in hosts[16:]]
        while not set(hosts) <= set(servers.asked):
            await asyncio.sleep(0.01)
        assert (await here.call(_call(receiver.url))).error is None
        assert await here.call(_call(named)) is None, "it was blamed for others"
        assert await here.check(named) == hooks.TIMED_OUT
        servers.let.set()
        assert {outcome.error for outcome in await asyncio.gather(*many)} <= {
            hooks.UNREACHED,
            hooks.TIMED_OUT,
        }
        assert (await here.call(_call(named))).error is None


def _call(address):
    return Call(address, "msg_1_7", clock.now(), b"{}", (secrets.new_webhook_secret(),))
