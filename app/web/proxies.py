"""Proxies in front of us: whose word on a request's origin counts, and what it says."""

import ipaddress
from collections.abc import Mapping
from functools import lru_cache

from starlette.types import Scope

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Proxies:
    """The proxies that an operator trusts, as addresses and networks with a comma between, such as `10.0.0.0/8`."""

    def __init__(self, listed: str) -> None:
        self._networks = [ipaddress.ip_network(entry.strip()) for entry in listed.split(",") if entry.strip()]
        self._known = lru_cache(4096)(self._is_listed)

    def trusts(self, address: str) -> bool:
        """Whether what comes from `address` comes from one of them."""
        return bool(self._networks) and self._known(address)

    def believe(self, scope: Scope, headers: Mapping[bytes, bytes]) -> None:
        """Note in `scope` the client and the scheme that a trusted proxy tells; the caller has checked the peer.

        Each proxy adds the address it saw at the end, so the last one that is not a proxy's is the client.
        """
        scheme = headers.get(b"x-forwarded-proto", b"").decode("latin-1").strip().lower()
        if scheme in ("http", "https"):
            scope["scheme"] = scheme
        told = [entry.strip() for entry in headers.get(b"x-forwarded-for", b"").decode("latin-1").split(",")]
        for entry in reversed(told):
            address = _address(entry)
            if address is None:
                return
            scope["client"] = (address, 0)
            if not self._known(address):
                return

    def _is_listed(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def _address(entry: str) -> str | None:
    """The address in `192.0.2.7`, `192.0.2.7:443` or `[2001:db8::1]:443`."""
    host = entry[1:].partition("]")[0] if entry.startswith("[") else entry
    if host.count(":") == 1:
        host = host.partition(":")[0]
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return None
