"""Where webhooks may go: looked at when somebody names an address, and again with each call."""

from app.errors import FieldError, Invalid
from app.integrations.hooks import Caller
from app.services.webhooks import NO_ADDRESS, PROBLEMS_OF_ADDRESSES


async def require_callable(caller: Caller, address: str) -> None:
    """Raise unless an address leads to a public place.

    :raises Invalid: it does not, or nowhere
    """
    wrong = await caller.check(address.strip())
    if wrong is not None:
        raise Invalid(FieldError("address", PROBLEMS_OF_ADDRESSES.get(wrong, NO_ADDRESS)))
