"""Mail through SMTP: one letter to one address."""

import re
import smtplib
import ssl
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr
from typing import Literal
from urllib.parse import SplitResult, unquote, urlsplit

from app.settings import LOOPBACK, settings

TIMEOUT_S = 20.0
CALENDAR_FILE_NAME = "invite.ics"


@dataclass(frozen=True, slots=True)
class Calendar:
    """What a letter does to its reader's calendar (RFC 5546): `content` is UTF-8 and says the same `method`."""

    method: Literal["REQUEST", "CANCEL"]
    content: bytes


@dataclass(frozen=True, slots=True)
class Letter:
    """`id` is the same whenever the same letter is sent again; `written_at` is when its cause happened."""

    id: str
    to: str
    subject: str
    body: str
    language: str
    written_at: datetime
    calendar: Calendar | None = None


class Refused(Exception):
    """The letter will never be taken: no such address, or its text is refused. Names a code, no address."""


class Postponed(Exception):
    """The letter was not taken now. Names what went wrong, no address."""


def is_set_up() -> bool:
    """Whether there is a server that takes mail."""
    return settings().smtp_url is not None


def send(smtp_url: str, sender: str, letter: Letter) -> None:
    """Hand `letter` to the server at `smtp_url` (`smtp://` or `smtps://`, with user and password).

    STARTTLS is used where it is offered, and its certificate checked; a password goes to another machine
    through TLS alone.

    :raises Refused: the server says that it will never take this letter
    :raises Postponed: the server is not there, is busy, or does not like us
    """
    message = _message(sender, letter)
    try:
        _hand_over(_connected(urlsplit(smtp_url), sender), message)
    except smtplib.SMTPRecipientsRefused as error:
        raise _failure("recipient", *(code for code, _ in error.recipients.values())) from None
    except smtplib.SMTPDataError as error:
        raise _failure("text", error.smtp_code) from None
    except smtplib.SMTPNotSupportedError:
        raise Refused("address that the server cannot take") from None
    except smtplib.SMTPResponseException as error:
        # The greeting, the sign-in or the sender was not liked: that is ours to mend, not the reader's fault.
        raise Postponed(f"{type(error).__name__} {error.smtp_code}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise Postponed(type(error).__name__) from None


def check(smtp_url: str, sender: str) -> None:
    """Connect, encrypt and sign in as `send` would, and leave.

    :raises Postponed: the server is not there, or does not like us
    """
    try:
        with _connected(urlsplit(smtp_url), sender) as server:
            server.noop()
    except (smtplib.SMTPException, OSError) as error:
        raise Postponed(type(error).__name__) from None


def _hand_over(server: smtplib.SMTP, message: EmailMessage) -> None:
    """Send, and say goodbye; a letter that was taken is not sent again because the goodbye failed."""
    try:
        server.send_message(message)
        with suppress(smtplib.SMTPException, OSError):
            server.quit()
    finally:
        server.close()


def _failure(what: str, *codes: int) -> Exception:
    code = max(codes, default=400)
    return Refused(f"{what} {code}") if code >= 500 else Postponed(f"{what} {code}")


def _message(sender: str, letter: Letter) -> EmailMessage:
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(_one_line(sender))
    try:
        message["From"] = Address(_one_line(name), addr_spec=address)
        message["To"] = Address(addr_spec=letter.to)
    except (ValueError, IndexError, MessageError):
        raise Refused("address that is none") from None
    message["Subject"] = _one_line(letter.subject)
    message["Date"] = format_datetime(letter.written_at)
    message["Message-ID"] = f"<{letter.id}@{_domain(sender)}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Auto-Response-Suppress"] = "All"
    message.set_content(letter.body, cte="quoted-printable")
    if letter.calendar:
        _add_calendar(message, letter.calendar)
    message["Content-Language"] = letter.language
    return message


def _add_calendar(message: EmailMessage, calendar: Calendar) -> None:
    """Put the calendar beside the text (RFC 6047), and once more behind it as a file.

    Outlook looks for it in the first part alone, other programs only among the attached files.
    """
    message.add_alternative(
        calendar.content.decode(),
        subtype="calendar",
        charset="utf-8",
        cte="base64",
        params={"method": calendar.method},
    )
    message.add_attachment(
        calendar.content, maintype="application", subtype="ics", filename=CALENDAR_FILE_NAME
    )


def _one_line(text: str) -> str:
    """`text` without line ends and other controls, so that a header ends where we end it."""
    return " ".join(re.sub(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]", " ", text).split())


def _domain(sender: str) -> str:
    return parseaddr(sender)[1].rpartition("@")[2] or "localhost"


def _connected(address: SplitResult, sender: str) -> smtplib.SMTP:
    """A connection that is encrypted where it can be, and signed in where there is a user."""
    host = address.hostname or "localhost"
    # Our name is given: asking the resolver for it can take many seconds.
    own_name = _domain(sender)
    if address.scheme == "smtps":
        server: smtplib.SMTP = smtplib.SMTP_SSL(
            host, address.port or 465, own_name, timeout=TIMEOUT_S, context=ssl.create_default_context()
        )
        encrypted = True
    else:
        server = smtplib.SMTP(host, address.port or 25, own_name, timeout=TIMEOUT_S)
        encrypted = _encrypt(server)
    if address.username:
        _sign_in(server, address, may_tell=encrypted or host in LOOPBACK)
    return server


def _sign_in(server: smtplib.SMTP, address: SplitResult, *, may_tell: bool) -> None:
    if not may_tell:
        server.close()
        raise Postponed("no TLS for the password")
    try:
        server.login(unquote(address.username or ""), unquote(address.password or ""))
    except BaseException:
        server.close()
        raise


def _encrypt(server: smtplib.SMTP) -> bool:
    try:
        server.ehlo_or_helo_if_needed()
        if server.has_extn("starttls"):
            server.starttls(context=ssl.create_default_context())
            return True
    except BaseException:
        server.close()
        raise
    return False
