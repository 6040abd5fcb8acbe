"""What can be permitted, each by one name."""

from enum import StrEnum


class Permission(StrEnum):
    """One thing that someone may do; `rules.RULES` says who."""

    READ_PROGRAMME = "read_programme"
    READ_PEOPLE = "read_people"
    READ_CHALLENGE = "read_challenge"
    CREATE_CHALLENGE = "create_challenge"
    CHANGE_CHALLENGE = "change_challenge"
    DELETE_CHALLENGE = "delete_challenge"
    CHANGE_PHASES = "change_phases"
    ARRANGE_CLUSTERS = "arrange_clusters"
    READ_IDEA = "read_idea"
    POST_IDEA = "post_idea"
    EDIT_IDEA = "edit_idea"
    WITHDRAW_IDEA = "withdraw_idea"
    MOVE_IDEA = "move_idea"
    SUPPORT_IDEA = "support_idea"
    COMMENT = "comment"
    WITHDRAW_COMMENT = "withdraw_comment"
    MODERATE = "moderate"
    ANSWER_HIDING = "answer_hiding"
    ADD_CO_AUTHOR = "add_co_author"
    PROPOSE_MERGE = "propose_merge"
    DECIDE_MERGE = "decide_merge"
    OBJECT_TO_MERGE = "object_to_merge"
    UNDO_MERGE = "undo_merge"
    READ_EVENTS = "read_events"
    MANAGE_OWN = "manage_own"
    ADMINISTER = "administer"
