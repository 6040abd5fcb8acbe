"""The demo's texts: complete, within limits, each its own, in the right languages."""

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from app.demo import moments, story
from app.lib import markdown
from app.models.challenge import PHASES

TOLD = story.read()
IDEAS = [idea for challenge in TOLD.challenges for idea in challenge.ideas]
PEOPLE = {person.key: person for organisation in TOLD.organisations for person in organisation.people}
NOW = datetime(2026, 5, 6, 10, 30, tzinfo=UTC)

CONTRACT = {
    "public@demo.example": ("participant", "public"),
    "business@demo.example": ("participant", "business"),
    "facilitator@demo.example": ("facilitator", None),
    "host@demo.example": ("host", None),
    "sponsor@demo.example": ("sponsor", None),
    "coordinator@demo.example": ("coordinator", None),
    "observer@demo.example": ("observer", None),
}


def test_there_is_as_much_as_was_promised():
    sectors = Counter(organisation.sector for organisation in TOLD.organisations)
    assert sectors == {"public": 5, "business": 30}
    assert len(PEOPLE) == sum(len(organisation.people) for organisation in TOLD.organisations) == 120
    assert len(TOLD.challenges) == 5
    assert len(IDEAS) == 150
    assert 330 <= sum(len(idea.comments) for idea in IDEAS) <= 400
    assert 1700 <= sum(sum(idea.support) for idea in IDEAS) <= 2000


def test_people_and_organisations_are_told_apart_by_name_number_and_domain():
    for told in ("name", "number", "domain"):
        values = [getattr(organisation, told) for organisation in TOLD.organisations]
        assert len(set(values)) == 35, told
    assert len({person.name for person in PEOPLE.values()}) == 120


def test_the_people_of_the_contract_have_their_roles_and_sectors():
    found = {
        person.email: (person.role, organisation.sector)
        for organisation in TOLD.organisations
        for person in organisation.people
        if person.email
    }
    assert found.keys() == CONTRACT.keys()
    for email, (role, sector) in CONTRACT.items():
        assert found[email][0] == role
        assert sector in (None, found[email][1])


def test_challenges_stand_in_different_phases_and_every_kind_is_there():
    assert [phase.kind for phase in TOLD.phases] == list(PHASES)
    phases = Counter(challenge.phase for challenge in TOLD.challenges)
    assert phases == {"ideation": 2, "shaping": 1, "voting": 1, "delivery": 1}


def test_briefs_are_of_reading_length_and_three_are_english_two_slovene():
    assert Counter(challenge.language for challenge in TOLD.challenges) == {"en": 3, "sl": 2}
    for challenge in TOLD.challenges:
        assert len(challenge.title) <= 120
        assert 60 <= len(challenge.summary) <= 300
        assert 150 <= len(challenge.brief.split()) <= 300


def test_boards_have_three_to_six_columns_that_are_all_used():
    for challenge in TOLD.challenges:
        keys = {cluster.key for cluster in challenge.clusters}
        assert 3 <= len(keys) <= 6
        assert {idea.cluster for idea in challenge.ideas if idea.cluster} == keys
        assert all(len(cluster.title) <= 80 for cluster in challenge.clusters)


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.title[:40])
def test_an_idea_is_within_its_limits(idea):
    assert 25 <= len(idea.title) <= 110
    assert 40 <= len(idea.body.split()) <= 180
    assert idea.language in ("en", "sl")
    for comment in idea.comments:
        assert 10 <= len(comment.text) <= 400
        assert comment.language in ("en", "sl")


@pytest.mark.parametrize("idea", IDEAS, ids=lambda idea: idea.title[:40])
def test_who_speaks_may_speak(idea):
    keys = [idea.by, *idea.co_authors, *(comment.by for comment in idea.comments)]
    assert all(PEOPLE[key].role != "observer" for key in keys)
    assert idea.by not in idea.co_authors
    if idea.anonymous:
        assert idea.by not in {comment.by for comment in idea.comments}
        assert not idea.co_authors
        assert not idea.merge


def test_half_of_the_ideas_are_in_each_language_on_every_board():
    for challenge in TOLD.challenges:
        assert Counter(idea.language for idea in challenge.ideas) == {"en": 15, "sl": 15}


def test_no_two_ideas_begin_or_read_alike():
    for part in (lambda idea: idea.title.casefold(), lambda idea: idea.body, lambda idea: idea.body[:60]):
        assert len({part(idea) for idea in IDEAS}) == 150
    comments = [comment.text for idea in IDEAS for comment in idea.comments]
    assert len(set(comments)) == len(comments)


@pytest.mark.parametrize("language", ["en", "sl"])
def test_texts_are_in_the_language_that_they_say(language):
    """Words that the one language cannot do without and the other does not know."""
    words = {"en": {"the", "and", "of", "is", "that"}, "sl": {"je", "in", "na", "se", "da", "za", "ne"}}
    other = words["sl" if language == "en" else "en"]
    for idea in IDEAS:
        if idea.language == language:
            found = Counter(word.strip(".,:;?!*()").casefold() for word in idea.body.split())
            assert sum(found[word] for word in words[language]) > sum(found[word] for word in other), (
                idea.title
            )
        for comment in idea.comments:
            if comment.language == language:
                found = {word.strip(".,:;?!*()").casefold() for word in comment.text.split()}
                # "in" and "do" are words of both languages, "je" and "the" are not.
                telling = {
                    "en": {"je", "ki", "bi", "pri", "sem", "tudi"},
                    "sl": {"the", "and", "is", "of", "with"},
                }
                assert not found & telling[language], comment.text


def test_the_turns_of_the_story_are_there():
    assert 3 <= sum(idea.pinned for idea in IDEAS) <= 8
    assert sum(idea.hidden is not None for idea in IDEAS) in (1, 2)
    assert sum(comment.hidden is not None for idea in IDEAS for comment in idea.comments) >= 1
    assert sum(idea.before is not None for idea in IDEAS) >= 3
    assert sum(bool(idea.co_authors) for idea in IDEAS) >= 3
    assert sum(idea.withdrawn for idea in IDEAS) == 1
    merges = Counter(idea.merge.state for idea in IDEAS if idea.merge)
    assert merges == {"proposed": 2, "accepted": 1}


def test_anonymous_ideas_stand_only_where_the_challenge_allows_them():
    allowed = [
        idea for challenge in TOLD.challenges if challenge.anonymous_allowed for idea in challenge.ideas
    ]
    assert any(idea.anonymous for idea in allowed)
    assert all(idea in allowed for idea in IDEAS if idea.anonymous)


def test_some_ideas_bridge_and_some_are_liked_by_one_sector_only():
    assert sum(1 for idea in IDEAS if min(idea.support) >= 8) >= 15
    for one, other in ((0, 1), (1, 0)):
        loved_by_one = [idea for idea in IDEAS if idea.support[one] >= 8 and idea.support[other] <= 2]
        assert len(loved_by_one) >= 4


def test_a_line_that_ends_in_the_file_does_not_end_in_the_text():
    for idea in IDEAS:
        assert "<br" not in markdown.render(idea.body), idea.title
    for challenge in TOLD.challenges:
        assert "<br" not in markdown.render(challenge.brief), challenge.title
    lists = [idea for idea in IDEAS if "<ol>" in markdown.render(idea.body)]
    assert len(lists) >= 3
    assert all("<ol>\n<li>" in markdown.render(idea.body) for idea in lists)


def test_a_year_at_the_start_of_a_line_begins_no_list():
    assert story._unfolded("it lies there since\n2022.\n\n1. one\n   goes on\n2. two") == (
        "it lies there since 2022.\n\n1. one goes on\n2. two"
    )


def test_phases_follow_one_another_around_the_present():
    for challenge in TOLD.challenges:
        found = moments.stretches(TOLD.phases, challenge.phase, challenge.days, NOW)
        assert [stretch.ends_at for stretch in found[:-1]] == [stretch.starts_at for stretch in found[1:]]
        assert found[-1].ends_at is None
        (current,) = [
            stretch
            for stretch in found
            if stretch.starts_at <= NOW and (stretch.ends_at is None or stretch.ends_at > NOW)
        ]
        assert current.phase.kind == challenge.phase


def test_a_phase_is_in_force_at_whatever_hour_the_demo_is_filled():
    for hour in range(24):
        at = NOW.replace(hour=hour)
        for challenge in TOLD.challenges:
            found = moments.stretches(TOLD.phases, challenge.phase, challenge.days, at)
            current = next(stretch for stretch in found if stretch.phase.kind == challenge.phase)
            assert current.starts_at <= at
            assert current.ends_at is None or current.ends_at - at > timedelta(hours=12)
