"""What can go wrong at a provider, each with a reason: a word for the log and the operator, never a person's data."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import httpx2
import structlog
from authlib.common.errors import AuthlibBaseError
from joserfc.errors import ClaimError, JoseError

from app.errors import NotAllowed, Unavailable
from app.lib.i18n import N_

log = structlog.get_logger(__name__)

_ERROR_CODES: Final = frozenset(
    {
        "access_denied",
        "account_selection_required",
        "consent_required",
        "interaction_required",
        "invalid_request",
        "invalid_scope",
        "login_required",
        "server_error",
        "temporarily_unavailable",
        "unauthorized_client",
        "unmet_authentication_requirements",
        "unsupported_response_type",
    }
)


class Distrusted(NotAllowed):
    """A provider's answer that we do not believe."""

    def __init__(
        self,
        reason: str,
        message: str = N_(
            "The answer of the identity provider could not be trusted, so you were not signed in. "
            "Please try again; if it happens again, tell those who run this site."
        ),
    ) -> None:
        super().__init__(message)
        self.reason = reason


class TooWeak(Distrusted):
    """A person who signed in, but in a way that does not suffice here."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            reason,
            N_(
                "You signed in, but in a way that is not strong enough for this site. Please sign in again and "
                "choose a stronger way at your identity provider, such as one with a second factor."
            ),
        )


class BrokenOff(NotAllowed):
    """A sign-in that the person or the provider has given up."""

    def __init__(self, error: str | None) -> None:
        super().__init__(N_("You were not signed in: the sign-in was broken off at the identity provider."))
        self.reason = error if error in _ERROR_CODES else "other"


class Unreachable(Unavailable):
    """A provider that does not answer, or with nonsense."""

    def __init__(self, reason: str) -> None:
        super().__init__(
            N_(
                "The identity provider does not answer as it should. Nothing was saved; please try again later."
            )
        )
        self.reason = reason


@asynccontextmanager
async def named(provider: str) -> AsyncIterator[None]:
    """Turn what can go wrong on the far side into our own failures. The log gets a reason, never what was sent."""
    try:
        yield
    except BrokenOff as error:
        log.info("sign_in_broken_off", provider=provider, reason=error.reason)
        raise
    except Distrusted as error:
        if error.reason.startswith(("metadata_", "no_keys", "not_an_object")):
            log.warning("provider_unavailable", provider=provider, reason=error.reason)
            raise Unreachable(error.reason) from error
        log.warning("sign_in_distrusted", provider=provider, reason=error.reason)
        raise
    except (httpx2.HTTPError, httpx2.InvalidURL) as error:
        log.warning("provider_unavailable", provider=provider, reason=reason(error))
        raise Unreachable(reason(error)) from error
    except (AuthlibBaseError, JoseError) as error:
        log.warning("sign_in_distrusted", provider=provider, reason=reason(error))
        raise Distrusted(reason(error)) from error
    except (ValueError, TypeError, KeyError, RecursionError) as error:
        log.warning("provider_nonsense", provider=provider, reason=reason(error))
        raise Unreachable(reason(error)) from error


def reason(error: Exception) -> str:
    """A short name for a failure: the class, and for a claim which one it was."""
    told = getattr(error, "reason", None)
    if isinstance(error, NotAllowed | Unavailable) and isinstance(told, str):
        return told
    if isinstance(error, ClaimError):
        return f"{type(error).__name__}:{error.claim[:20]}"
    if isinstance(error, AuthlibBaseError):
        return _word(str(error.error))
    return type(error).__name__


def _word(error: str) -> str:
    """An error code of a provider, if it is a word: it could carry anything."""
    return error[:40] if error.replace("_", "").isalnum() and error.isascii() else "other"
