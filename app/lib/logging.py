"""Logs for machines and for people: one line an event, a request's id on each, no secrets and no personal data."""

import logging
import re
import sys
import traceback
from collections.abc import Mapping, MutableMapping
from contextvars import ContextVar
from types import TracebackType
from typing import Any, Final, TextIO

import structlog

request_id: ContextVar[str | None] = ContextVar("request_id", default=None)
"""The id of the request that is being answered; the gateway sets it."""

HIDDEN: Final = "[hidden]"

_SECRET_KEYS: Final = re.compile(
    r"token|secret|passw|authorization|cookie|csrf|nonce|verifier|api_?key|^code$|e_?mail",
    re.IGNORECASE,
)
_SECRET_VALUES: Final = re.compile(
    r"pfc_pat_\w+"
    r"|(?<=bearer )\S+"
    r"|(?<=basic )\S+"
    r"|(?<=://)[^/@\s]+(?=@)"
    r"|\beyJ[\w-]+\.[\w-]+\.[\w-]*"
    r"|(?<=session=)[^;\s]+"
    r"|(?<=[?&]code=)[^&\s]+"
    r"|(?<=[?&]state=)[^&\s]+"
    r"|(?<=secret=)[^&\s]+"
    r"|(?<=token=)[^&\s]+"
    r"|(?<=password=)[^&\s]+"
    r"|[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
    re.IGNORECASE,
)

_QUIET: Final = (
    "httpx2",
    "httpcore2",
    "httpx",
    "httpcore",
    "asyncio",
    "sqlalchemy",
    "alembic",
    "dbos",
    "uvicorn",
)

Exceptions = tuple[type[BaseException], BaseException, TracebackType | None]


def configure(form: str = "json", *, level: int = logging.INFO, stream: TextIO | None = None) -> None:
    """Send our events and those of the libraries to `stream` (standard error), as `json` or for a `console`.

    Libraries speak from warnings on. An exception shows where it came from, but not its message, which may
    quote what people wrote; the console, which is for development, shows that too.
    """
    shared: list[Any] = [
        _stamp,
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper("iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler(stream or sys.stderr)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[*shared, structlog.stdlib.add_logger_name],
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *_rendering(form)],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    logging.captureWarnings(capture=True)


def redacted(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: the event without secrets and addresses, told by the name of a field and by the form of a value."""
    for key, value in event.items():
        event[key] = HIDDEN if _SECRET_KEYS.search(key) and value is not None else _without_secrets(value)
    return event


def _rendering(form: str) -> list[Any]:
    if form == "console":
        return [
            redacted,
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    return [_traced, redacted, structlog.processors.JSONRenderer(ensure_ascii=False)]


def _stamp(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    found = request_id.get()
    if found is not None:
        event.setdefault("request_id", found)
    return event


def _traced(_: Any, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Replace an exception by its class and the lines it passed, for each link of its chain."""
    given = event.pop("exc_info", None)
    error = _exception(given)
    if error is not None:
        event["exception"] = [_link(link) for link in _chain(error)]
    return event


def _exception(given: Any) -> BaseException | None:
    if isinstance(given, BaseException):
        return given
    if isinstance(given, tuple):
        return given[1]  # type: ignore[no-any-return]
    return sys.exc_info()[1] if given else None


def _chain(error: BaseException) -> list[BaseException]:
    links: list[BaseException] = []
    following: BaseException | None = error
    while following is not None and following not in links:
        links.append(following)
        following = following.__cause__ or (None if following.__suppress_context__ else following.__context__)
    return links


def _link(error: BaseException) -> dict[str, Any]:
    frames = traceback.extract_tb(error.__traceback__)
    return {
        "class": f"{type(error).__module__}.{type(error).__qualname__}",
        "at": [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in frames[-12:]],
    }


def _without_secrets(value: Any) -> Any:
    if isinstance(value, str):
        return _SECRET_VALUES.sub(HIDDEN, value)
    if isinstance(value, Mapping):
        return redacted(None, "", {str(key): inner for key, inner in value.items()})
    if isinstance(value, list | tuple | set | frozenset):
        return [_without_secrets(inner) for inner in value]
    if value is None or isinstance(value, bool | int | float):
        return value
    return _SECRET_VALUES.sub(HIDDEN, str(value))
