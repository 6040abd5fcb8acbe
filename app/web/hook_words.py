"""The words of webhooks: what went wrong with a call, and why one is off."""

from typing import Final

from app.lib.i18n import N_

HOOK_ERRORS: Final = {
    "timeout": N_("The receiver did not answer in time."),
    "address": N_("The address leads to a place that may not be called, such as a private network."),
    "unreachable": N_("The receiver could not be reached."),
    "tls": N_("The receiver's certificate is not trusted, or the encryption failed."),
    "broken": N_("The connection broke before there was an answer."),
    "redirect": N_("The receiver answered with a redirect, and redirects are not followed."),
    "gone": N_("The receiver answered 410 Gone: it wants nothing more, so the webhook was switched off."),
    "status": N_("The receiver answered, but did not take the message: that takes a status from 200 to 299."),
}

HOOK_STOPS: Final = {
    "person": N_("Somebody switched it off."),
    "gone": N_("Its receiver answered 410 Gone: it wants nothing more."),
    "right": N_("Whoever switched it on does not coordinate this programme any more."),
    "secret": N_(
        "The installation's secret key has changed, so messages cannot be signed. Make another secret."
    ),
}

HOOK_STATES: Final = {"active": N_("active"), "failing": N_("does not get through"), "off": N_("off")}

DELIVERY_STATES: Final = {"waiting": N_("waits"), "delivered": N_("delivered"), "dead": N_("given up")}
