"""What a webhook's receiver gets: the event as the feed has it, in the envelope of Standard Webhooks."""

from pydantic_core import to_json

from app.lib import clock
from app.services.webhook_clock import Parcel
from app.web import items


def body(base_url: str, parcel: Parcel) -> bytes:
    """`type`, `timestamp` (when it happened) and `data`; the same bytes as long as its owner may know as much."""
    if parcel.event is None:
        data = {"webhook": parcel.webhook_id, "programme": parcel.programme.id}
    else:
        data = items.event(base_url, parcel.programme, parcel.event)
    happened_at = parcel.created_at if parcel.event is None else parcel.event.created_at
    return to_json({"type": parcel.type, "timestamp": clock.rfc3339(happened_at), "data": data})
