"""Outgoing HTTP to addresses that others have chosen: public hosts only, small answers, no redirects, in time."""

import asyncio
import ipaddress
import ssl
from contextlib import suppress
from functools import lru_cache
from typing import Final

import httpx2

from app.integrations.names import Address, Names

TIMEOUT_S: Final = 5.0
"""How long one exchange may take, from the look-up of the name to the last byte."""

MOST_BYTES: Final = 1024 * 1024
"""How long an answer may be."""

CUT_AFTER_S: Final = 2.0
"""So long the body of an answer that is cut may take."""

_NO_POOL: Final = httpx2.Limits(max_connections=1, max_keepalive_connections=0)
_GLOBAL_UNICAST: Final = ipaddress.IPv6Network("2000::/3")
_6TO4: Final = ipaddress.IPv6Network("2002::/16")
"""IPv6 addresses that stand for an IPv4 address, which could be a private one."""
_NO_RECEIVERS: Final = (ipaddress.IPv4Network("192.88.99.0/24"), ipaddress.IPv4Network("168.63.129.16/32"))
"""Public by their numbers: relays of 6to4 (RFC 7526), and where Azure answers its machines from within."""


class Refused(httpx2.TransportError):
    """An address we do not go to, or an answer we do not take; the message says which."""


class Guarded(httpx2.AsyncBaseTransport):
    """A transport that goes to public hosts over https alone, and looks before it leaps.

    The name is resolved once, every address is checked, and the connection goes to a checked address, so that
    a name cannot mean one host when it is checked and another when it is used. `allow_loopback` also lets
    plain http to this machine pass, for the demo and tests. One exchange takes `timeout_s` at the most; of an answer
    that is longer than `cut_at` bytes the rest is left where it is, and without `cut_at` a long one is refused.
    """

    def __init__(
        self,
        *,
        allow_loopback: bool = False,
        timeout_s: float | None = None,
        cut_at: int | None = None,
    ) -> None:
        self._allow_loopback = allow_loopback
        self._timeout_s = TIMEOUT_S if timeout_s is None else timeout_s
        self._cut_at = cut_at
        self._names = Names()
        self._local: dict[str, httpx2.AsyncBaseTransport] = {}

    def serve_here(self, beginning: str, transport: httpx2.AsyncBaseTransport) -> None:
        """Reach addresses with this beginning through `transport`: no network lies between, nor a port mapping."""
        self._local[beginning] = transport

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send `request`; its answer is complete when this returns.

        :raises Refused: the address or the answer is not acceptable
        :raises Crowded: its name cannot be looked up now, so nothing was sent
        :raises httpx2.TransportError: the other side does not answer, or not in time
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                return await self._exchanged(request)
        except TimeoutError as error:
            raise httpx2.ReadTimeout(f"no complete answer within {self._timeout_s:g} s") from error

    async def check(self, address: str) -> None:
        """Look whether `address` may be called, without calling it. It is looked at again when it is called.

        :raises Refused: it may not
        :raises httpx2.TransportError: its name leads nowhere, or not in time
        :raises httpx2.InvalidURL: it is no address
        """
        try:
            async with asyncio.timeout(self._timeout_s):
                await self._checked_addresses(httpx2.URL(address))
        except TimeoutError as error:
            raise httpx2.ConnectTimeout(f"no answer about the name within {self._timeout_s:g} s") from error

    async def _exchanged(self, request: httpx2.Request) -> httpx2.Response:
        request.headers["accept-encoding"] = "identity"
        for beginning, transport in self._local.items():
            if str(request.url).startswith(beginning):
                return await _complete(await transport.handle_async_request(request), request, self._cut_at)
        addresses = await self._checked_addresses(request.url)
        async with httpx2.AsyncHTTPTransport(verify=_trust(), trust_env=False, limits=_NO_POOL) as transport:
            return await _complete(await _sent(transport, request, addresses), request, self._cut_at)

    async def _checked_addresses(self, url: httpx2.URL) -> list[Address]:
        if url.scheme not in ("https", "http") or url.userinfo:
            raise Refused("only https addresses without a user name are called")
        addresses = await self._names.addresses(url.raw_host.decode("ascii"))
        if not addresses:
            raise httpx2.ConnectError("the name does not lead to an address")
        if self._allow_loopback and all(address.is_loopback for address in addresses):
            return addresses
        if url.scheme != "https":
            raise Refused("only https addresses are called")
        if not all(is_public(address) for address in addresses):
            raise Refused("the name leads to an address that is not public")
        return addresses


def is_public(address: Address) -> bool:
    """Whether an address belongs to the public internet, also by what it stands for."""
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped is not None:
            return is_public(address.ipv4_mapped)
        if address not in _GLOBAL_UNICAST or address in _6TO4:
            return False
    elif any(address in network for network in _NO_RECEIVERS):
        return False
    return address.is_global and not address.is_multicast


async def _sent(
    transport: httpx2.AsyncBaseTransport, request: httpx2.Request, addresses: list[Address]
) -> httpx2.Response:
    """The answer of the first address that can be reached. The host name stays in `Host` and in TLS."""
    extensions = {**request.extensions, "sni_hostname": request.url.raw_host.decode("ascii")}
    last: httpx2.ConnectError | None = None
    for address in dict.fromkeys(addresses):
        there = httpx2.Request(
            request.method,
            request.url.copy_with(host=str(address)),
            headers=request.headers,
            content=await request.aread(),
            extensions=extensions,
        )
        try:
            return await transport.handle_async_request(there)
        except httpx2.ConnectError as error:
            last = error
    raise last or httpx2.ConnectError("the name does not lead to an address")


async def _complete(
    response: httpx2.Response, request: httpx2.Request, cut_at: int | None
) -> httpx2.Response:
    """The answer with its whole body, counted while it is read; compression could hide a large one.

    One that is to be cut is taken as it comes, compressed or not, slow or broken off: its status has said all.
    """
    body = bytearray()
    try:
        if cut_at is not None:
            with suppress(TimeoutError, httpx2.TransportError):
                async with asyncio.timeout(CUT_AFTER_S):
                    async for chunk in response.aiter_raw():
                        body += chunk
                        if len(body) >= cut_at:
                            break
            del body[cut_at:]
        elif response.headers.get("content-encoding", "identity").lower() != "identity":
            raise Refused("the answer is compressed although that was not asked for")
        else:
            async for chunk in response.aiter_raw():
                body += chunk
                if len(body) > MOST_BYTES:
                    raise Refused(f"the answer is longer than {MOST_BYTES} bytes")
    finally:
        await response.aclose()
    dropped = (b"transfer-encoding",) if cut_at is None else (b"transfer-encoding", b"content-encoding")
    headers = [pair for pair in response.headers.raw if pair[0].lower() not in dropped]
    return httpx2.Response(response.status_code, headers=headers, content=bytes(body), request=request)


@lru_cache
def _trust() -> ssl.SSLContext:
    return httpx2.create_ssl_context()
