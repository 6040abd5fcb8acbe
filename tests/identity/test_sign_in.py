"""Signing in through a provider: what works, and what ends in a clear page with nothing changed."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest
from sqlalchemy import update
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from app.lib import clock, secrets
from app.main import create_app
from app.models import BrowserSession, Event, Login, Membership, Organisation, Person, SignIn
from app.models.base import table
from tests.factories.world import World
from tests.identity.conftest import (
    Browser,
    known_as,
    path_of,
    providers_file,
    settings_for,
    table_for,
)
from tests.identity.serving import free_port, serving

EVERYTHING = (Person, Login, Membership, Organisation, BrowserSession)


def state_of(site):
    """What a refused sign-in must leave as it was."""
    return {model: site.rows(model) for model in EVERYTHING}


def test_the_chooser_offers_the_sides_that_there_are(site):
    page = site.browser().get("/sign-in?next=/challenges/1")
    assert page.status_code == 200
    assert "I work in public administration" in page.text
    assert "The Ministry" in page.text
    assert 'action="/sign-in/ministry"' in page.text
    assert 'value="/challenges/1"' in page.text


def test_the_chooser_speaks_slovene(site):
    assert "Ministrstvo" in site.browser(**{"Accept-Language": "sl"}).get("/sign-in").text


def test_the_first_sign_in_makes_a_person_with_a_place(site):
    browser = site.browser()
    answer = browser.sign_in(next="/challenges/1?sort=new")
    assert answer.status_code == 303
    assert path_of(answer) == "/challenges/1?sort=new"
    person, login = site.rows(Person)[-1], site.rows(Login)[-1]
    assert (person.name, person.email) == ("Ana Zupan", "ana@ministry.example")
    assert (login.person_id, login.issuer, login.subject) == (person.id, site.far.issuer, "ana-1")
    place = site.rows(Membership)[-1]
    assert (place.person_id, place.organisation_id, place.sector_id, place.role) == (
        person.id,
        site.world.organisations["public"],
        site.world.sectors["public"],
        "participant",
    )
    assert "Ana Zupan" in browser.name()


def test_signing_in_is_told_in_the_event_log(site):
    site.browser().sign_in()
    person = site.rows(Person)[-1]
    told = [(event.type, event.actor_id, event.programme_id) for event in site.rows(Event)[-2:]]
    assert told == [
        ("person.joined", person.id, site.world.programme_id),
        ("session.started", person.id, None),
    ]


def test_the_second_sign_in_finds_the_person_and_refreshes_what_they_are_called(site):
    site.browser().sign_in()
    people = site.count(table(Person))
    site.far.claims |= {"name": "Ana Novak", "email": "ana.novak@ministry.example"}
    site.browser().sign_in()
    assert site.count(table(Person)) == people
    person = site.rows(Person)[-1]
    assert (person.name, person.email, person.version) == ("Ana Novak", "ana.novak@ministry.example", 2)


def test_what_the_provider_no_longer_tells_stays(site):
    site.browser().sign_in()
    site.far.claims = {"sub": "ana-1", "tid": "ministry"}
    site.far.userinfo = {"sub": "ana-1"}
    site.browser().sign_in()
    assert site.rows(Person)[-1].name == "Ana Zupan"


def test_a_name_is_shown_as_one_clean_line(site):
    site.far.claims |= {"name": "  Ana\n\x00<b>Zupan</b>\u202e " + "x" * 200, "email": "ana@x\r\nBcc: all@x"}
    site.browser().sign_in()
    person = site.rows(Person)[-1]
    assert person.name.startswith("Ana <b>Zupan</b>")
    assert len(person.name) == 120
    assert person.name.isprintable()
    assert person.email is None


def test_a_subject_is_compared_exactly(site):
    site.browser().sign_in()
    site.far.claims |= {"sub": "Ana-1"}
    site.browser().sign_in()
    assert site.rows(Login)[-1].person_id != site.rows(Login)[-2].person_id


def test_mail_never_joins_a_login_to_a_person(site):
    alice = site.world.alice
    site.far.claims |= {"email": alice.email, "email_verified": True, "name": alice.name}
    site.browser().sign_in()
    assert site.rows(Login)[-1].person_id != alice.person_id


def test_eight_first_sign_ins_at_once_make_one_person(site):
    before = site.count(table(Person))
    browsers = [site.browser() for _ in range(8)]
    callbacks = [browser.come_back(browser.leave()) for browser in browsers]
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda pair: pair[0].get(pair[1]), zip(browsers, callbacks, strict=True)))
    assert [answer.status_code for answer in answers] == [303] * 8
    assert site.count(table(Person)) == before + 1
    assert site.count(table(Membership)) == site.count(table(Person))


def test_several_sign_ins_may_be_under_way_in_one_browser(site):
    browser = site.browser()
    first, second = browser.leave(next="/challenges/1"), browser.leave(next="/challenges/2")
    assert path_of(browser.get(browser.come_back(first))) == "/challenges/1"
    assert path_of(browser.get(browser.come_back(second))) == "/challenges/2"


def test_signing_in_again_ends_the_session_that_was_there(site):
    browser = site.browser()
    browser.sign_in()
    stolen = browser.secret
    browser.sign_in()
    assert browser.secret != stolen
    thief = site.browser()
    thief.cookies.set("session", stolen)
    assert thief.name() is None


def test_a_session_that_was_planted_is_not_taken_over(site):
    victim = site.browser()
    victim.cookies.set("session", "planted-by-someone-else", domain="127.0.0.1", path="/")
    victim.sign_in()
    intruder = site.browser()
    intruder.cookies.set("session", "planted-by-someone-else")
    assert intruder.name() is None


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites(site):
    cookie = site.browser().sign_in().headers["set-cookie"].lower()
    assert cookie.startswith("session=")
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie


def test_only_hashes_of_the_secrets_are_kept(site):
    browser = site.browser()
    departure = browser.leave()
    state = parse_qs(urlsplit(departure.headers["location"]).query)["state"][0]
    kept = str(site.rows(SignIn))
    assert state not in kept
    assert browser.cookies["sign-in"] not in kept
    browser.get(browser.come_back(departure))
    assert browser.secret not in str(site.rows(BrowserSession))


# what is refused


def refused(site, browser, callback, status, words):
    """Visit a callback that must be refused: a clear page, and nothing has changed."""
    before = state_of(site)
    answer = browser.get(callback)
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert "text/html" in answer.headers["content-type"]
    assert "Traceback" not in answer.text
    assert state_of(site) == before
    assert browser.secret is None
    return answer


def test_a_used_answer_is_refused(site):
    browser = site.browser()
    callback = browser.come_back(browser.leave())
    assert browser.get(callback).status_code == 303
    browser.cookies.delete("session")
    refused(site, browser, callback, 409, "expired or was used already")


def test_an_answer_that_comes_too_late_is_refused(site):
    browser = site.browser()
    callback = browser.come_back(browser.leave())
    of = table(SignIn)
    site.world.database.write_now(
        lambda tx: tx.execute(update(of).values(expires_at=clock.now() - timedelta(seconds=1)))
    )
    refused(site, browser, callback, 409, "expired or was used already")


def test_an_answer_in_another_browser_is_refused(site):
    attacker, victim = site.browser(), site.browser()
    callback = attacker.come_back(attacker.leave())
    refused(site, victim, callback, 409, "expired or was used already")
    victim.leave()
    refused(site, victim, callback, 409, "expired or was used already")


def test_an_answer_to_another_provider_is_refused(site):
    browser = site.browser()
    callback = browser.come_back(browser.leave())
    refused(site, browser, callback.replace("/ministry/", "/company/"), 404, "no such identity provider")


def test_a_forged_answer_is_refused(site):
    browser = site.browser()
    browser.leave()
    for query in (
        "",
        "?state=",
        "?state=forged&code=x",
        "?code=x",
        "?state=a&state=b&code=x",
        "?error=access_denied",
    ):
        refused(site, browser, f"/sign-in/ministry/callback{query}", 409, "expired or was used already")


def test_a_repeated_state_is_refused(site):
    browser = site.browser()
    callback = browser.come_back(browser.leave())
    state = parse_qs(urlsplit(callback).query)["state"][0]
    refused(site, browser, f"{callback}&state={state}", 409, "expired or was used already")


def test_a_code_of_someone_elses_sign_in_is_refused(site):
    attacker, victim = site.browser(), site.browser()
    stolen = parse_qs(urlsplit(attacker.come_back(attacker.leave())).query)["code"][0]
    callback = victim.come_back(victim.leave())
    own = parse_qs(urlsplit(callback).query)["code"][0]
    refused(site, victim, callback.replace(own, stolen), 403, "could not be trusted")


def test_an_answer_of_another_issuer_is_refused(site):
    site.far.response = {"iss": "https://evil.example"}
    browser = site.browser()
    refused(site, browser, browser.come_back(browser.leave()), 403, "could not be trusted")


def test_an_unsigned_identity_is_refused(site):
    site.far.sealed = site.far.unsigned
    browser = site.browser()
    refused(site, browser, browser.come_back(browser.leave()), 403, "could not be trusted")


def test_a_sign_in_that_was_broken_off_says_so(site):
    site.far.response = {"error": "access_denied", "code": None}
    browser = site.browser()
    refused(
        site,
        browser,
        browser.come_back(browser.leave()).replace("callback?", "callback?x=&"),
        403,
        "broken off",
    )


def test_an_organisation_that_takes_no_part_is_refused(site):
    site.far.claims |= {"tid": "unheard-of", "email": site.world.alice.email}
    browser = site.browser()
    refused(site, browser, browser.come_back(browser.leave()), 403, "does not take part")


def test_no_organisation_is_guessed_from_mail(site):
    site.far.claims = {"sub": "x", "name": "X", "email": "x@ministry.example", "email_verified": True}
    site.far.userinfo = {"sub": "x"}
    browser = site.browser()
    refused(site, browser, browser.come_back(browser.leave()), 403, "does not take part")


def test_an_organisation_of_another_issuer_is_not_ours(site):
    known_as(site.world, "https://another.example", "company", site.world.organisations["business"])
    site.far.claims |= {"tid": "company"}
    browser = site.browser()
    refused(site, browser, browser.come_back(browser.leave()), 403, "does not take part")


def test_another_organisation_than_before_is_refused(site):
    known_as(site.world, site.far.issuer, "company", site.world.organisations["business"])
    site.browser().sign_in()
    site.far.claims |= {"tid": "company"}
    browser = site.browser()
    refused(site, browser, browser.come_back(browser.leave()), 403, "another organisation")


def test_an_ended_place_is_refused(site):
    site.browser().sign_in()
    of = table(Membership)
    person = site.rows(Person)[-1].id
    site.world.database.write_now(
        lambda tx: tx.execute(update(of).where(of.c.person_id == person).values(ended_at=tx.now))
    )
    browser = site.browser()
    refused(site, browser, browser.come_back(browser.leave()), 403, "has ended")


def test_a_disabled_person_is_refused_and_signed_out(site):
    inside = site.browser()
    inside.sign_in()
    of = table(Person)
    person = site.rows(Person)[-1].id
    site.world.database.write_now(
        lambda tx: tx.execute(update(of).where(of.c.id == person).values(disabled_at=tx.now))
    )
    assert inside.name() is None
    browser = site.browser()
    refused(site, browser, browser.come_back(browser.leave()), 403, "has ended")


def test_a_provider_that_is_down_says_so_before_anyone_leaves(site):
    site.far.answers["metadata"] = lambda: Response(status_code=502)
    before = state_of(site)
    answer = site.browser().leave()
    assert answer.status_code == 503
    assert "does not answer as it should" in answer.text
    assert state_of(site) == before
    assert site.count(table(SignIn)) == 0


def test_a_provider_that_is_down_says_so_in_slovene(site):
    site.far.answers["metadata"] = lambda: Response(status_code=502)
    answer = site.browser(**{"Accept-Language": "sl"}).leave()
    assert answer.status_code == 503
    assert '<html lang="sl">' in answer.text


@pytest.mark.parametrize("endpoint", ["token", "keys"])
def test_a_provider_that_answers_nonsense_signs_nobody_in(site, endpoint):
    site.far.answers[endpoint] = lambda: PlainTextResponse("<html>out of order</html>")
    browser = site.browser()
    refused(site, browser, browser.come_back(browser.leave()), 503, "does not answer as it should")


def test_a_provider_that_nobody_set_up_is_not_found(site):
    assert site.browser().leave("nobody").status_code == 404


def test_there_is_an_end_to_how_often_one_address_may_leave(database_url, database, far, tmp_path):
    file = providers_file(tmp_path / "providers.toml", ministry=table_for(far.issuer))
    port = free_port()
    settings = settings_for(database_url, port, identity_providers=file)
    settings.sign_in_rate_limit = "1/minute"
    with serving(create_app(settings), port) as address:
        answers = [Browser(address, {}).leave() for _ in range(5)]
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) >= 3
    assert refused[0].headers["retry-after"]
    assert "text/html" in refused[0].headers["content-type"]


def test_on_https_the_cookies_are_pinned_to_the_host(database_url, database, far, tmp_path):
    world = World(database)
    known_as(world, far.issuer, "ministry", world.organisations["public"])
    file = providers_file(tmp_path / "providers.toml", ministry=table_for(far.issuer))
    settings = settings_for(database_url, 0, identity_providers=file)
    settings.base_url = "https://partnership.example"
    with TestClient(create_app(settings), base_url=settings.base_url, follow_redirects=False) as browser:
        left = browser.post("/sign-in/ministry", headers={"Sec-Fetch-Site": "same-origin"})
        back = httpx2.get(left.headers["location"], trust_env=False).headers["location"]
        finished = browser.get(back)
        for response, name in ((left, "__host-sign-in="), (finished, "__host-session=")):
            cookie = response.headers["set-cookie"].lower()
            assert cookie.startswith(name)
            assert {"secure", "httponly", "path=/", "samesite=lax"} <= set(cookie.split("; "))
            assert "domain" not in cookie
        assert browser.get("/me").status_code == 200
        ended = browser.post("/sign-out", headers={"Origin": settings.base_url})
        assert ended.status_code == 303
        assert browser.get("/me").status_code != 200


# where to go afterwards

ELSEWHERE = [
    "https://evil.example/",
    "//evil.example/",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "/%2fevil.example",
    "/%5Cevil.example",
    "/%252f%252fevil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    "/%09/evil.example",
    "/./%2fevil.example",
    "/..//evil.example",
    " //evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "evil.example",
    "/a\r\nSet-Cookie: session=x",
    "/" + "a" * 3000,
    "",
]


def test_next_never_leads_elsewhere(site):
    for next in ELSEWHERE:
        answer = site.browser().sign_in(next=next)
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), next


def test_who_is_signed_in_is_not_led_elsewhere_either(site):
    browser = site.browser()
    browser.cookies.set("session", site.world.cookie(site.world.alice))
    for next in ELSEWHERE:
        answer = browser.get("/sign-in", params={"next": next})
        assert (answer.status_code, answer.headers["location"]) == (303, "/"), next


def test_next_may_be_any_path_of_ours(site):
    assert (
        site.browser().sign_in(next="/ideas/7?q=č#idea-7").headers["location"] == "/ideas/7?q=%C4%8D#idea-7"
    )


# where a form comes from


def test_a_form_of_another_site_is_refused(site):
    browser = site.browser()
    browser.sign_in()
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site", "Origin": site.address},
    ):
        for path in ("/sign-in/ministry", "/sign-out"):
            assert browser.post(path, headers=headers).status_code == 403, headers
    assert browser.name() is not None


def test_a_form_without_a_word_of_its_origin_needs_the_token(site):
    from app.web.csrf import csrf_token

    browser = site.browser()
    browser.sign_in()
    assert browser.post("/sign-out", data={"csrf": "forged"}).status_code == 403
    assert browser.post("/sign-out", data={}).status_code == 403
    assert browser.name() is not None
    assert browser.post("/sign-out", data={"csrf": csrf_token(browser.secret)}).status_code == 303
    assert browser.name() is None


# being signed in, and no longer


def test_a_forged_cookie_is_nobody(site):
    for forged in ("x", secrets.new_secret(), "x" * 5000, "č", "' OR 1=1 --"):
        browser = site.browser()
        answer = browser.get("/me", headers={"Cookie": f"session={forged}".encode()})
        assert answer.status_code in (303, 400, 401, 431)


@pytest.mark.parametrize(
    "changes",
    [
        {"expires_at": timedelta(seconds=-1)},
        {"seen_at": timedelta(hours=-2, seconds=-1)},
        {"revoked_at": timedelta()},
    ],
)
def test_a_session_ends_by_time_by_idleness_and_by_being_ended(site, changes):
    browser = site.browser()
    browser.sign_in()
    of = table(BrowserSession)
    values = {name: clock.now() + shift for name, shift in changes.items()}
    site.world.database.write_now(lambda tx: tx.execute(update(of).values(**values)))
    assert browser.name() is None


def test_a_session_lasts_twelve_hours_at_the_most(site):
    site.browser().sign_in()
    session = site.rows(BrowserSession)[-1]
    assert session.expires_at - session.created_at == timedelta(hours=12)


def test_being_in_use_is_noted_now_and_then(site):
    browser = site.browser()
    browser.sign_in()
    seen = site.rows(BrowserSession)[-1].seen_at
    browser.name()
    assert site.rows(BrowserSession)[-1].seen_at == seen
    of = table(BrowserSession)
    site.world.database.write_now(
        lambda tx: tx.execute(update(of).values(seen_at=clock.now() - timedelta(minutes=6)))
    )
    browser.name()
    for _ in range(100):
        if site.rows(BrowserSession)[-1].seen_at >= seen:
            break
        browser.get("/health/live")
    assert site.rows(BrowserSession)[-1].seen_at >= seen


def test_signing_out_ends_the_session_here_and_at_the_provider(site):
    browser = site.browser()
    browser.sign_in()
    kept = browser.secret
    id_token = site.rows(BrowserSession)[-1].id_token
    answer = browser.submit("/sign-out")
    assert answer.status_code == 303
    asked = parse_qs(urlsplit(answer.headers["location"]).query)
    assert answer.headers["location"].startswith(f"{site.far.issuer}/sign-out?")
    assert asked["id_token_hint"] == [id_token]
    assert asked["post_logout_redirect_uri"] == [f"{site.address}/sign-out/done"]
    assert browser.secret is None
    assert (
        "You are signed out" in browser.get(browser.get(answer.headers["location"]).headers["location"]).text
    )
    thief = site.browser()
    thief.cookies.set("session", kept)
    assert thief.name() is None
    session = site.rows(BrowserSession)[-1]
    assert session.revoked_at is not None
    assert session.id_token is None
    assert site.rows(Event)[-1].type == "session.ended"


def test_signing_out_twice_is_no_error(site):
    browser = site.browser()
    browser.sign_in()
    browser.submit("/sign-out")
    assert path_of(browser.submit("/sign-out")) == "/sign-out/done"


def test_signing_out_works_while_the_provider_is_down(site):
    browser = site.browser()
    browser.cookies.set("session", site.world.cookie(site.world.alice))
    assert path_of(browser.submit("/sign-out")) == "/sign-out/done"
    assert browser.name() is None


def test_signing_out_needs_a_form(site):
    browser = site.browser()
    browser.sign_in()
    assert browser.get("/sign-out").status_code == 405
    assert browser.name() is not None


def test_this_machine_under_another_name_leads_to_the_own_name(site):
    port = site.address.rpartition(":")[2]
    answer = site.browser().get("/sign-in?next=/ideas/7", headers={"Host": f"localhost:{port}"})
    assert answer.headers["location"] == f"{site.address}/sign-in?next=%2Fideas%2F7"
