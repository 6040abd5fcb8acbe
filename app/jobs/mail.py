"""Mail: sends a notice to its reader, in their language."""

from collections.abc import Sequence
from functools import partial
from typing import Final

import structlog

from app.integrations import mail, queue
from app.jobs.workplace import Workplace
from app.lib.i18n import DEFAULT, N_, known
from app.services import notices
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

log = structlog.get_logger(__name__)


def send(workplace: Workplace, *, notice_id: int, round: int = 0) -> str:
    """Send one notice, at least once, always under the same Message-ID; later, if the server takes nothing now.

    :raises Refused: the server will never take it; the job ends as failed
    :raises Exhausted: the server took nothing in all rounds; the job ends as failed
    """
    try:
        return queue.step("deliver", partial(deliver, workplace, notice_id), worth_again=mail.Postponed)
    except queue.Exhausted:
        if round == len(AGAIN_AFTER_S):
            raise
    name = f"{notices.mail_id(notice_id)}-again-{round + 1}"
    queue.postpone(
        "mail.send", workflow_id=name, delay_s=AGAIN_AFTER_S[round], notice_id=notice_id, round=round + 1
    )
    return "postponed"


def spread(workplace: Workplace, *, notice_ids: Sequence[int]) -> str:
    """Put the mails of many notices in line, a hundred a transaction: all, and each once."""
    for start in range(0, len(notice_ids), 100):
        some = notice_ids[start : start + 100]
        workplace.database.write_now(partial(notices.post, notice_ids=some))
    return "spread"


def deliver(workplace: Workplace, notice_id: int) -> str:
    """Hand the notice's letter to the mail server, if there still is one to send."""
    letter = compose(workplace, notice_id)
    if letter is None or workplace.smtp_url is None:
        return "nothing to send"
    try:
        mail.send(workplace.smtp_url, workplace.mail_from, letter)
    except (mail.Refused, mail.Postponed) as error:
        is_final = isinstance(error, mail.Refused)
        log.warning("mail_not_taken", notice_id=notice_id, reason=str(error), is_final=is_final)
        raise
    return "sent"


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
            "message": say(notice.message) % notice.values,
            "link": workplace.base_url + notice.path,
            "page": workplace.base_url + "/me",
        },
        language=language,
        written_at=notice.created_at,
    )
