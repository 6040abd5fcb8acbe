"""The words of notices: what each kind says, to be translated and filled."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from app.lib.i18n import N_


class Words(NamedTuple):
    """What a kind of notice says: two msgids."""

    subject: str
    message: str


WORDS: Final[Mapping[str, Words]] = {
    "join_requested": Words(
        N_("Someone waits to join"),
        N_(
            "Someone whom an identity provider vouches for waits to join the programme. Please let them in or say no."
        ),
    ),
    "join_approved": Words(
        N_("You are in"),
        N_("Those who coordinate the programme have let you in. Please sign in the same way as before."),
    ),
    "data_ready": Words(
        N_("The copy of your data is ready"),
        N_(
            "The copy of your data that you asked for is ready. "
            "You can fetch it for seven days; you will be asked to sign in once more."
        ),
    ),
    "placement_passed_on": Words(
        N_("You now receive the guests of a placement"),
        N_(
            "Whoever received the guests of “%(placement)s” has left for good, so you do now. "
            "You can name someone else on its page."
        ),
    ),
    "booking_manager_left": Words(
        N_("Please name another home manager"),
        N_(
            "The home manager whom you named for “%(booking)s” (%(days)s) has left for good. "
            "Please name another one, so that your stay can be decided."
        ),
    ),
    "idea_hidden": Words(
        N_("Your idea was hidden"),
        N_(
            "A facilitator has hidden your idea “%(idea)s” and says why: “%(reason)s”. You can answer on its page."
        ),
    ),
    "idea_restored": Words(
        N_("Your idea is back on the board"),
        N_("Your idea “%(idea)s” was hidden and is back on the board now."),
    ),
    "hiding_answered": Words(
        N_("An author has answered you"),
        N_(
            "The author of “%(idea)s”, an idea that you have hidden, has answered. The answer stands on its page."
        ),
    ),
    "comment_hidden": Words(
        N_("Your comment was hidden"),
        N_("A facilitator has hidden your comment on “%(idea)s” and says why: “%(reason)s”."),
    ),
    "comment_posted": Words(
        N_("A comment on your idea"),
        N_("There is a new comment on your idea “%(idea)s”."),
    ),
    "merge_proposed": Words(
        N_("Shall two ideas become one?"),
        N_(
            "Someone proposes to merge “%(source)s” into “%(target)s”. "
            "Nothing happens without your consent: please accept or decline."
        ),
    ),
    "merge_accepted": Words(
        N_("Two ideas are one now"),
        N_("“%(source)s” is now a part of “%(target)s”: the author who was asked has agreed."),
    ),
    "merge_declined": Words(
        N_("Two ideas stay apart"),
        N_("“%(source)s” is not merged into “%(target)s”: the author who was asked does not agree."),
    ),
    "merge_supporters": Words(
        N_("An idea that you support was merged"),
        N_(
            "You support “%(source)s”, which is now a part of “%(target)s”. "
            "Your support goes along and counts once. If you do not want that, you can object."
        ),
    ),
    "merge_objected": Words(
        N_("A supporter objects to a merge"),
        N_("Someone who supports “%(source)s” objects to its merge into “%(target)s”."),
    ),
    "merge_undone": Words(
        N_("A merge was undone"),
        N_("“%(source)s” and “%(target)s” are two ideas again, each with its own support."),
    ),
    "co_author_added": Words(
        N_("You are a co-author"),
        N_("You write the idea “%(idea)s” together with its author now, and can edit it."),
    ),
    "login_linked": Words(
        N_("A further login is yours"),
        N_(
            "You can now sign in by a further login. If you did not link it yourself, please unlink it at once, "
            "end your sessions and tell those who coordinate the programme."
        ),
    ),
    "machines_left": Words(
        N_("Please look after some machines"),
        N_(
            "Someone who has let machines in no longer takes part, or no longer coordinates, and may still know their "
            "secrets. Please give these machines new ones, or end them."
        ),
    ),
    "role_lent": Words(
        N_("You stand in for a colleague"),
        N_(
            "A colleague lends you their role while they are away. Your page says whose it is, and until when."
        ),
    ),
    "ballot_opened": Words(
        N_("A ballot is open: please vote"),
        N_(
            "You can vote on “%(ballot)s” now. It takes a few minutes, and you can change your vote until it closes."
        ),
    ),
    "ballot_reminder": Words(
        N_("A ballot closes soon"),
        N_("“%(ballot)s” closes soon, and your vote is not there yet."),
    ),
    "ballot_counted": Words(
        N_("A ballot is counted"),
        N_("The result of “%(ballot)s” is there: who won, by which rule, and how each sector voted."),
    ),
    "ballot_sealed": Words(
        N_("The log of a ballot, to check it by"),
        N_(
            "“%(ballot)s” is counted and its log is published. Please keep this mail: whoever counts again compares "
            "the root %(root)s and the key %(key)s with what the log says."
        ),
    ),
    "webhook_failing": Words(
        N_("A webhook does not get through"),
        N_(
            "Its receiver has not taken a message in all the time that it was tried. Please look at what it answers, "
            "and send the messages again once it works."
        ),
    ),
    "webhook_stopped": Words(
        N_("A webhook was stopped"),
        N_(
            "Nothing is sent to its receiver any more: its page says why. Whoever switches it on again answers for it "
            "from then on."
        ),
    ),
    "placement_proposed": Words(
        N_("A placement waits for your review"),
        N_(
            "A host offers places: “%(placement)s”. Please look at it, and publish it or return it "
            "with a note."
        ),
    ),
    "placement_published": Words(
        N_("Your placement is published"),
        N_("“%(placement)s” is published: people can ask for its places now."),
    ),
    "placement_returned": Words(
        N_("Your placement came back"),
        N_("A coordinator has looked at “%(placement)s” and asks for a change: “%(reason)s”."),
    ),
    "placement_withdrawn": Words(
        N_("A placement was taken back"),
        N_("“%(placement)s” was taken back, and with it all bookings there. %(reason)s"),
    ),
    "booking_to_decide": Words(
        N_("A stay waits for your decision"),
        N_(
            "Someone asks for a stay at “%(booking)s”, %(days)s. Please approve it, or decline it "
            "with a reason."
        ),
    ),
    "booking_offered": Words(
        N_("A place has become free for you"),
        N_("A place at “%(booking)s”, %(days)s, is free now and yours if you accept it in time."),
    ),
    "booking_proposed": Words(
        N_("A place is proposed to you"),
        N_(
            "The match proposes a place to you: “%(booking)s”, %(days)s. Please accept it in time, or "
            "pass it on."
        ),
    ),
    "booking_approved": Words(
        N_("Your stay is approved"),
        N_(
            "Everyone has approved your stay at “%(booking)s”, %(days)s. Please go through the "
            "checklist; then it is confirmed."
        ),
    ),
    "booking_to_agree": Words(
        N_("A guest is coming: please go through the checklist"),
        N_("A stay at “%(booking)s”, %(days)s, is approved. Your part of the checklist is open."),
    ),
    "booking_confirmed": Words(
        N_("A stay is confirmed"),
        N_(
            "The stay at “%(booking)s”, %(days)s, is confirmed. The dates for your calendar are "
            "attached to the mail."
        ),
    ),
    "booking_declined": Words(
        N_("A stay was declined"),
        N_("The stay at “%(booking)s”, %(days)s, was declined: “%(reason)s”."),
    ),
    "booking_ended": Words(
        N_("A booking was taken back"),
        N_("The booking at “%(booking)s”, %(days)s, was taken back. %(reason)s"),
    ),
    "booking_cancelled": Words(
        N_("A stay is cancelled"),
        N_("The confirmed stay at “%(booking)s”, %(days)s, is cancelled: “%(reason)s”."),
    ),
    "booking_moved": Words(
        N_("A stay has other days"),
        N_("The stay at “%(booking)s” is moved to %(days)s. What was decided before is decided anew."),
    ),
    "booking_unconfirmed": Words(
        N_("A confirmed stay has other days"),
        N_(
            "The stay at “%(booking)s” is moved to %(days)s and has to be confirmed anew. Please take "
            "the old dates out of your calendar."
        ),
    ),
    "booking_expired": Words(
        N_("A booking has expired"),
        N_(
            "The booking at “%(booking)s”, %(days)s, has expired: not everything that was needed came "
            "in time."
        ),
    ),
    "booking_line_over": Words(
        N_("No place became free"),
        N_(
            "You have waited in line for “%(booking)s”, %(days)s. No place became free before it "
            "began; we are sorry."
        ),
    ),
    "booking_passed_on": Words(
        N_("A place went to the next in line"),
        N_("The place at “%(booking)s”, %(days)s, was not accepted in time and went to the next in line."),
    ),
    "booking_reminder": Words(
        N_("A stay still waits for you"),
        N_("The stay at “%(booking)s”, %(days)s, still waits for something from you."),
    ),
    "booking_overdue": Words(
        N_("A booking is stuck"),
        N_(
            "The booking at “%(booking)s”, %(days)s, has waited for a long time, and reminders did "
            "not help. Please see to it."
        ),
    ),
    "booking_to_reflect": Words(
        N_("How was it?"),
        N_("The stay at “%(booking)s” is over. Please write in three short answers what you take from it."),
    ),
    "story_to_consent": Words(
        N_("May this story be told?"),
        N_(
            "The other side has written a story about the stay at “%(booking)s”. It is shown once you "
            "consent to it."
        ),
    ),
    "match_left_out": Words(
        N_("The match had no place for you"),
        N_(
            "The match of exchanges is published, and there was no place for you this time. See why, "
            "and what is still free."
        ),
    ),
}
"""What each kind says. `%(idea)s`, `%(source)s`, `%(target)s`, `%(ballot)s`, `%(placement)s` are titles, `%(booking)s`
that of its placement; `%(days)s` are those of a stay as they were then; the rest comes from `data`."""

TOLD: Final = ("reason", "root", "key")
"""What `data` may hold for the words."""
