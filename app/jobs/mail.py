"""Mail: sends a notice to its reader, a decision link to a home manager, an invitation, each in their language."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from app.integrations import mail, queue
from app.jobs.workplace import Workplace
from app.lib.i18n import DEFAULT, N_, day, days, known, moment
from app.services import calendar_entries, decision_links, invitations, notices, retention
from app.web import calendar_files
from app.web.templating import translations

AGAIN_AFTER_S: Final = (300, 1800, 7200, 28_800, 86_400)
"""Waits between rounds of tries, when the mail server takes nothing: some 34 hours in all."""

LETTER: Final = N_(
    "Hello,\n\n"
    "%(message)s\n\n"
    "%(link)s\n\n"
    "-- \n"
    "Partnership for Change sends you this because it concerns you. Your notices: %(page)s\n"
)

LINK_SUBJECT: Final = N_("%(guest)s asks for your approval of a stay")
LINK_LETTER: Final = N_(
    "Hello,\n\n"
    "%(guest)s (%(organisation)s) asks for a stay at %(host)s and has named you as the home manager:\n\n"
    "“%(placement)s”, %(days)s\n\n"
    "On this page you see what is asked, and approve it or decline it. You need no account:\n\n"
    "%(link)s\n\n"
    "The link is good for one decision, until %(until)s. Please do not pass it on: whoever has it can decide "
    "in your name.\n\n"
    "-- \n"
    "Partnership for Change sends you this because a colleague named you.\n"
)

INVITATION_SUBJECT: Final = N_("An invitation to %(programme)s")
INVITATION_LETTER: Final = N_(
    "Hello,\n\n"
    "You are invited to take part in %(programme)s, for %(organisation)s.\n\n"
    "On this page you see who invites you and to what. The place is yours once you have signed in there with the "
    "account that you have at work:\n\n"
    "%(link)s\n\n"
    "The invitation is good for one person, until %(until)s. Please do not pass it on: whoever uses it first has the "
    "place.\n\n"
    "-- \n"
    "Partnership for Change sends you this because someone who may invite people wrote down your address.\n"
)

WARNING_SUBJECT: Final = N_("Your data here will be erased on %(day)s")
WARNING_LETTER: Final = N_(
    "Hello,\n\n"
    "You have not been here for a long time, or you no longer take part. So on %(day)s we will erase your account and "
    "what is kept about you: what you wrote stays, without your name.\n\n"
    "If you still take part and want to stay, sign in before that day:\n\n"
    "%(link)s\n\n"
    "What is kept, why and how long: %(page)s\n\n"
    "-- \n"
    "Partnership for Change sends you this because it concerns you.\n"
)

log = structlog.get_logger(__name__)


def send(workplace: Workplace, *, notice_id: int, round: int = 0) -> str:
    """Send one notice, at least once, always under the same Message-ID; later, if the server takes nothing now.

    :raises Refused: the server will never take it; the job ends as failed
    :raises Exhausted: the server took nothing in all rounds; the job ends as failed
    """
    work = partial(deliver, workplace, notice_id)
    return _insist("mail.send", notices.mail_id(notice_id), work, round, notice_id=notice_id)


def send_link(workplace: Workplace, *, link_id: int, round: int = 0) -> str:
    """Send one decision link in the same way; nothing, once it is no longer good.

    :raises Refused: the server will never take it; the job ends as failed
    :raises Exhausted: the server took nothing in all rounds; the job ends as failed
    """
    work = partial(deliver_link, workplace, link_id)
    return _insist("mail.link", decision_links.mail_id(link_id), work, round, link_id=link_id)


def send_invitation(workplace: Workplace, *, invitation_id: int, round: int = 0) -> str:
    """Send one invitation in the same way; nothing, once it is no longer good.

    :raises Refused: the server will never take it; the job ends as failed
    :raises Exhausted: the server took nothing in all rounds; the job ends as failed
    """
    work = partial(deliver_invitation, workplace, invitation_id)
    name = invitations.mail_id(invitation_id)
    return _insist("mail.invitation", name, work, round, invitation_id=invitation_id)


def send_warning(workplace: Workplace, *, person_id: int, round: int = 0) -> str:
    """Send one warning of an erasure in the same way; nothing, once they have come back.

    :raises Refused: the server will never take it; the job ends as failed
    :raises Exhausted: the server took nothing in all rounds; the job ends as failed
    """
    work = partial(deliver_warning, workplace, person_id)
    return _insist("mail.warning", f"warning-{person_id}", work, round, person_id=person_id)


def spread(workplace: Workplace, *, notice_ids: Sequence[int]) -> str:
    """Put the mails of many notices in line, a hundred a transaction: all, and each once."""
    for start in range(0, len(notice_ids), 100):
        some = notice_ids[start : start + 100]
        workplace.database.write_now(partial(notices.post, notice_ids=some))
    return "spread"


def deliver(workplace: Workplace, notice_id: int) -> str:
    """Hand the notice's letter to the mail server, if there still is one to send."""
    return _hand_over(workplace, compose(workplace, notice_id), notice_id=notice_id)


def deliver_link(workplace: Workplace, link_id: int) -> str:
    """Hand a link's letter to the mail server, if there still is one to send."""
    return _hand_over(workplace, compose_link(workplace, link_id), link_id=link_id)


def deliver_invitation(workplace: Workplace, invitation_id: int) -> str:
    """Hand an invitation's letter to the mail server, if there still is one to send."""
    letter = compose_invitation(workplace, invitation_id)
    return _hand_over(workplace, letter, invitation_id=invitation_id)


def deliver_warning(workplace: Workplace, person_id: int) -> str:
    """Hand a warning's letter to the mail server, if there still is one to send."""
    return _hand_over(workplace, compose_warning(workplace, person_id), person_id=person_id)


def compose(workplace: Workplace, notice_id: int) -> mail.Letter | None:
    """The letter of a notice, in its reader's language: what happened, and where to look."""
    found = workplace.database.read_now(lambda connection: notices.addressed(connection, notice_id))
    if found is None:
        return None
    language = known(found.language) or DEFAULT
    say = translations(language).gettext
    notice = found.notice
    return mail.Letter(
        id=notices.mail_id(notice.id),
        to=found.email,
        subject=say(notice.subject),
        body=say(LETTER)
        % {
            "message": say(notice.message) % _said(notice.values, say),
            "link": workplace.base_url + notice.path,
            "page": workplace.base_url + "/me",
        },
        language=language,
        written_at=notice.created_at,
        calendar=_calendar(workplace, found, language),
    )


def compose_link(workplace: Workplace, link_id: int) -> mail.Letter | None:
    """The letter with a decision link: who asks, where, when. Its token is made here, and kept nowhere."""
    token = workplace.database.read_now(lambda connection: decision_links.token(connection, link_id))
    if token is None:
        return None
    link = workplace.database.read_now(lambda connection: decision_links.opened(connection, token))
    if link.problem is not None:
        return None
    language, booking = known(link.language) or DEFAULT, link.booking
    say = translations(language).gettext
    return mail.Letter(
        id=decision_links.mail_id(link_id),
        to=link.email,
        subject=say(LINK_SUBJECT) % {"guest": booking.guest},
        body=say(LINK_LETTER)
        % {
            "guest": booking.guest,
            "organisation": booking.organisation,
            "host": booking.host,
            "placement": booking.placement_title,
            "days": days(booking.first_day, booking.last_day, language),
            "link": f"{workplace.base_url}/decisions/{token}",
            "until": moment(link.expires_at, language),
        },
        language=language,
        written_at=link.created_at,
    )


def compose_invitation(workplace: Workplace, invitation_id: int) -> mail.Letter | None:
    """The letter with an invitation, in the programme's language. Its token is made here, and kept nowhere."""
    found = workplace.database.read_now(lambda connection: invitations.to_mail(connection, invitation_id))
    if found is None:
        return None
    invitation, token = found
    language = known(invitation.language) or DEFAULT
    say = translations(language).gettext
    return mail.Letter(
        id=invitations.mail_id(invitation_id),
        to=invitation.email or "",
        subject=say(INVITATION_SUBJECT) % {"programme": invitation.programme},
        body=say(INVITATION_LETTER)
        % {
            "programme": invitation.programme,
            "organisation": invitation.organisation,
            "link": f"{workplace.base_url}/invitations/{token}",
            "until": moment(invitation.expires_at, language),
        },
        language=language,
        written_at=invitation.created_at,
    )


def compose_warning(workplace: Workplace, person_id: int) -> mail.Letter | None:
    """The letter that says when someone will be erased, and what they can do."""
    found = workplace.database.read_now(lambda connection: retention.warned(connection, person_id))
    if found is None:
        return None
    language = known(found.language) or DEFAULT
    say = translations(language).gettext
    told = {
        "day": day(found.day, language),
        "link": f"{workplace.base_url}/me/data",
        "page": f"{workplace.base_url}/privacy",
    }
    return mail.Letter(
        id=retention.mail_id(person_id, found.warned_at),
        to=found.email,
        subject=say(WARNING_SUBJECT) % told,
        body=say(WARNING_LETTER) % told,
        language=language,
        written_at=found.warned_at,
    )


def _calendar(workplace: Workplace, found: notices.Addressed, language: str) -> mail.Calendar | None:
    """What the letter does to its reader's calendar, if it is about a stay that is confirmed or no longer is."""
    method = notices.INVITES.get(found.notice.kind)
    if method is None or found.booking_id is None:
        return None
    booking_id = found.booking_id
    entry = workplace.database.read_now(
        lambda connection: calendar_entries.invited(connection, found.reader, booking_id, method)
    )
    if entry is None:
        return None
    return calendar_files.letter(
        entry,
        method,
        language,
        base_url=workplace.base_url,
        sender=workplace.mail_from,
        reader=(found.name, found.email),
    )


def _insist(job: str, name: str, work: Callable[[], str], round: int, **of: int) -> str:
    try:
        return queue.step("deliver", work, worth_again=mail.Postponed)
    except queue.Exhausted:
        if round == len(AGAIN_AFTER_S):
            raise
    queue.postpone(
        job, workflow_id=f"{name}-again-{round + 1}", delay_s=AGAIN_AFTER_S[round], round=round + 1, **of
    )
    return "postponed"


def _hand_over(workplace: Workplace, letter: mail.Letter | None, **of: int) -> str:
    if letter is None or workplace.smtp_url is None:
        return "nothing to send"
    try:
        mail.send(workplace.smtp_url, workplace.mail_from, letter)
    except (mail.Refused, mail.Postponed) as error:
        is_final = isinstance(error, mail.Refused)
        log.warning("mail_not_taken", reason=str(error), is_final=is_final, **of)
        raise
    return "sent"


def _said(values: Mapping[str, str], say: Callable[[str], str]) -> dict[str, str]:
    """The values of a notice; a reason that the clock gives is one of our own sentences, and translated."""
    reason = values.get("reason", "")
    return {**values, "reason": say(reason) if reason else ""}
