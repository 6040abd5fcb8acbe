"""Look-ups of names, in threads of their own: a name server that hangs holds up those alone who ask for its names."""

import asyncio
import ipaddress
import socket
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final

import httpx2

MOST: Final = 64
"""Names that are looked up at the same time; a slow one holds a thread until the system gives it up."""

SLOW_S: Final = 2.0
"""Names that took longer the last time are looked up only while half of the threads are free."""

MOST_SLOW: Final = 1000
"""So many slow names are remembered."""

Address = ipaddress.IPv4Address | ipaddress.IPv6Address


class Crowded(httpx2.TransportError):
    """So many names are being looked up that this one has to wait; nothing is known about it."""


class Names:
    """The look-ups of one caller, a single one for each name: who asks for one that is in hand is told what it finds.

    Nothing is remembered of where a name led: the next one who asks has it looked up anew.
    """

    def __init__(self, *, most: int = MOST) -> None:
        self._most = most
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="names")
        self._in_hand: dict[str, Future[list[Address]]] = {}
        self._slow: set[str] = set()

    async def addresses(self, host: str) -> list[Address]:
        """Where a name leads; empty where it leads nowhere. What is an address already takes no thread.

        :raises Crowded: it cannot be looked up now
        """
        literal = _literal(host)
        if literal is not None:
            return [literal]
        found = self._in_hand.get(host) or self._begin(host)
        return await asyncio.shield(asyncio.wrap_future(found))

    def _begin(self, host: str) -> Future[list[Address]]:
        room = self._most // 2 if host in self._slow else self._most
        if len(self._in_hand) >= room:
            raise Crowded("too many names are being looked up")
        found = self._in_hand[host] = self._threads.submit(self._look_up, host)
        found.add_done_callback(lambda _: self._in_hand.pop(host))
        return found

    def _look_up(self, host: str) -> list[Address]:
        began = time.monotonic()
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
            # A scope such as %eth0 belongs to link-local addresses, which the check refuses anyway.
            return [ipaddress.ip_address(str(entry[4][0]).partition("%")[0]) for entry in found]
        except (OSError, ValueError):
            return []
        finally:
            self._note(host, is_slow=time.monotonic() - began > SLOW_S)

    def _note(self, host: str, *, is_slow: bool) -> None:
        if not is_slow:
            self._slow.discard(host)
        elif len(self._slow) < MOST_SLOW:
            self._slow.add(host)


def _literal(host: str) -> Address | None:
    try:
        return ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
