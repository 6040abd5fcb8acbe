"""Named failures: what services raise and the doors turn into an answer."""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """What is wrong with one field.

    `field` is the name as the form or the API has it; `message` is a msgid (English) that the door
    translates, filled with `values`.
    """

    field: str
    message: str
    values: tuple[tuple[str, Any], ...] = ()


class DomainError(Exception):
    """A failure that has a name and an answer. `message` is a msgid, filled with `values`."""

    status = 500
    code = "internal"

    def __init__(self, message: str, **values: Any) -> None:
        super().__init__(message)
        self.message = message
        self.values = values


class NotFound(DomainError):
    """There is no such thing, or the one who asks may not know of it."""

    status = 404
    code = "not-found"


class NotSignedIn(DomainError):
    """Who asks is not known: no session or token, or one that is no longer valid."""

    status = 401
    code = "not-signed-in"


class NotAllowed(DomainError):
    """Who asks may see the thing, but not do this with it."""

    status = 403
    code = "not-allowed"


class NotFresh(DomainError):
    """What is asked is dangerous, and it is too long since who asks last proved who they are: sign in once more."""

    status = 403
    code = "fresh-sign-in-needed"


class Conflict(DomainError):
    """What is asked does not fit the present state, such as a phase in which posting is closed."""

    status = 409
    code = "conflict"


class Gone(DomainError):
    """The thing was there and is no more."""

    status = 410
    code = "gone"


class Moved(DomainError):
    """The version that was to be changed is no longer the newest; `current` is its number."""

    status = 412
    code = "version-moved-on"


class TooLarge(DomainError):
    """The body is larger than this place takes."""

    status = 413
    code = "too-large"


class Invalid(DomainError):
    """Input that cannot be taken; `errors` name each field and its mend."""

    status = 422
    code = "invalid"

    def __init__(
        self, *errors: FieldError, message: str = "Please mend what is marked below.", **values: Any
    ) -> None:
        super().__init__(message, **values)
        self.errors = errors


class TooMany(DomainError):
    """More requests than the limit allows; `retry_after_s` says when to come back."""

    status = 429
    code = "too-many-requests"

    def __init__(self, message: str, *, retry_after_s: int, **values: Any) -> None:
        super().__init__(message, **values)
        self.retry_after_s = retry_after_s


class Unavailable(DomainError):
    """Something that is needed does not answer now; nothing was saved."""

    status = 503
    code = "unavailable"
    retry_after_s = 2
