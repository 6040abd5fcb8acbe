"""Rate limits: how often a person, a token or an address may ask, announced before it is used up.

Windows are fixed and begin at round times, so that any number of processes count the same one in Redis. Where
Redis is gone each process counts for itself until it is back: a limit is then looser, never absent.
"""

import hashlib
from typing import TYPE_CHECKING, Any, Final

import structlog
from limits import RateLimitItem, parse
from limits.errors import StorageError
from starlette.requests import Request

from app.errors import TooMany
from app.lib import clock
from app.lib.i18n import N_
from app.policies.actor import Actor
from app.settings import Settings

if TYPE_CHECKING:
    from limits.aio.storage import RedisStorage

log = structlog.get_logger(__name__)

DEFAULT: Final = "default"
SIGN_IN: Final = "sign-in"
REFUSED: Final = "refused"
NOTED: Final = "noted"

REDIS_AGAIN_S: Final = 5.0
"""After a failure Redis is left alone for so long."""

_MOST_KEPT: Final = 50_000


class Allowance:
    """What is left of a limit in its present window."""

    __slots__ = ("limit", "name", "remaining", "reset_s", "window_s")

    def __init__(self, name: str, limit: int, remaining: int, window_s: int, reset_s: int) -> None:
        self.name = name
        self.limit = limit
        self.remaining = remaining
        self.window_s = window_s
        self.reset_s = reset_s

    def headers(self) -> list[tuple[bytes, bytes]]:
        """`RateLimit-Policy` and `RateLimit`, as in draft-ietf-httpapi-ratelimit-headers-10."""
        return [
            (b"ratelimit-policy", f'"{self.name}";q={self.limit};w={self.window_s}'.encode()),
            (b"ratelimit", f'"{self.name}";r={self.remaining};t={self.reset_s}'.encode()),
        ]


class Limiter:
    """Counts uses in Redis where there is one, else in this process."""

    def __init__(self, settings: Settings) -> None:
        self._policies: dict[str, RateLimitItem] = {
            DEFAULT: parse(settings.rate_limit),
            SIGN_IN: parse(settings.sign_in_rate_limit),
            REFUSED: parse(settings.sign_in_rate_limit),
            NOTED: parse("1/minute"),
        }
        self._here: dict[str, tuple[int, int]] = {}
        self._redis = _storage(settings.redis) if settings.redis else None
        self._redis_rests_until = 0.0

    async def take(self, policy: str, subject: str) -> Allowance:
        """Use up one of `subject`'s requests under `policy`; say what is left.

        :raises TooMany: nothing was left
        """
        allowance, is_over = await self._count(policy, subject)
        if is_over:
            raise _too_many(allowance)
        return allowance

    async def hold(self, request: Request, actor: Actor) -> None:
        """Count an API request for its token, person or address, and announce what is left on the answer.

        :raises TooMany: nothing was left
        """
        allowance, is_over = await self._count(DEFAULT, _subject(request, actor))
        request.scope["state"]["allowance"] = allowance
        if is_over:
            raise _too_many(allowance)

    async def hold_address(self, request: Request, policy: str = SIGN_IN) -> None:
        """Count a request for its address alone, such as a sign-in on its way.

        :raises TooMany: nothing was left
        """
        await self.take(policy, _address(request))

    async def is_to_be_noted(self, request: Request) -> bool:
        """Whether a refusal is the first one of its address in this minute: a flood of them fills no audit log."""
        _, is_over = await self._count(NOTED, _address(request))
        return not is_over

    async def close(self) -> None:
        """Let go of Redis; idempotent."""
        if self._redis is not None:
            storage: Any = self._redis
            self._redis = None
            await storage.bridge.storage.aclose()

    async def _count(self, policy: str, subject: str) -> tuple[Allowance, bool]:
        item = self._policies[policy]
        window_s = item.get_expiry()
        now = clock.now().timestamp()
        window = int(now // window_s)
        used = await self._used(f"{policy}:{subject}", window, window_s, now)
        reset_s = int((window + 1) * window_s - now) + 1
        return Allowance(
            policy, item.amount, max(item.amount - used, 0), window_s, reset_s
        ), used > item.amount

    async def _used(self, key: str, window: int, window_s: int, now: float) -> int:
        if self._redis is not None and now >= self._redis_rests_until:
            try:
                return int(await self._redis.incr(f"partnership:{key}:{window}", window_s))
            except (StorageError, OSError) as error:
                self._redis_rests_until = now + REDIS_AGAIN_S
                log.warning("rate_limits_counted_here", reason=type(error.__cause__ or error).__name__)
        return self._used_here(key, window)

    def _used_here(self, key: str, window: int) -> int:
        kept, used = self._here.get(key, (window, 0))
        if key not in self._here and len(self._here) >= _MOST_KEPT:
            log.warning("rate_limit_counters_forgotten")
            self._here.clear()
        used = used + 1 if kept == window else 1
        self._here[key] = (window, used)
        return used


def _storage(url: str) -> "RedisStorage":
    from limits.aio.storage import RedisStorage
    from redis.asyncio.retry import Retry
    from redis.backoff import NoBackoff

    options: dict[str, Any] = {
        "socket_connect_timeout": 0.5,
        "socket_timeout": 0.5,
        "retry": Retry(NoBackoff(), 0),
    }
    return RedisStorage(f"async+{url}", implementation="redispy", wrap_exceptions=True, **options)


def _subject(request: Request, actor: Actor) -> str:
    if actor.token_id is not None:
        return f"token:{actor.token_id}"
    if actor.person_id is not None:
        return f"person:{actor.person_id}"
    return _address(request)


def _address(request: Request) -> str:
    """A client's address, as a digest: it is counted, not kept. IPv6 counts by the network a customer gets."""
    host = request.client.host if request.client else ""
    network = ":".join(host.split(":")[:4]) if ":" in host else host
    return "address:" + hashlib.blake2s(network.encode(), digest_size=8).hexdigest()


def _too_many(allowance: Allowance) -> TooMany:
    return TooMany(
        N_("That was too quick for us. Please wait %(seconds)s seconds and try again."),
        retry_after_s=allowance.reset_s,
        seconds=allowance.reset_s,
    )
