"""Mail through a real SMTP server on loopback: what arrives, what is refused, what is kept secret."""

import ssl
from datetime import UTC, date, datetime, timedelta
from ipaddress import ip_address

import pytest
from aiosmtpd.smtp import AuthResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from icalendar import Calendar

from app.integrations import mail
from app.lib import ical
from tests.jobs.places import PostOffice, free_port

SENDER = "Partnership for Change <no-reply@board.test>"


def letter(**changes):
    values = {
        "id": "notice-7",
        "to": "alice@example.test",
        "subject": "A comment on your idea",
        "body": "Hello,\n\nthere is one.\n",
        "language": "en",
        "written_at": datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
    }
    return mail.Letter(**(values | changes))


@pytest.fixture
def office():
    with PostOffice() as office:
        yield office


@pytest.fixture(scope="session")
def certificate(tmp_path_factory):
    """A certificate for 127.0.0.1 that signs itself, in a file that holds it and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.now(UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def tls(certificate):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate, monkeypatch):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))


def test_a_letter_arrives_as_it_was_written(office):
    body = "Živjo,\n\n.a line that begins with a dot\nčšž “quoted” …\n"
    mail.send(office.url, SENDER, letter(subject="Ideja „Manj obrazcev“", body=body, language="sl"))
    [(address, message)] = office.letters
    assert address == "alice@example.test"
    assert message["From"] == SENDER
    assert message["To"] == "alice@example.test"
    assert message["Subject"] == "Ideja „Manj obrazcev“"
    assert message["Message-ID"] == "<notice-7@board.test>"
    assert message["Date"] == "Mon, 04 May 2026 09:30:00 +0000"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "sl"
    assert message.get_content_type() == "text/plain"
    assert message.get_content().replace("\r\n", "\n") == body


INVITED = ical.Stay(
    uid="booking-7@board.test",
    sequence=1,
    first_day=date(2026, 3, 23),
    last_day=date(2026, 3, 29),
    summary="Teden v pisarni: Žagar, Čuk; " + "zelo dolg naslov " * 20,
    status="CONFIRMED",
    created_at=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
    updated_at=datetime(2026, 3, 1, 8, 0, tzinfo=UTC),
    description="Prva vrstica.\n.vrstica s piko\nFrom me\n",
    organizer=ical.Party("Ana Žagar", "ana@ministry.test"),
    attendees=(ical.Attendee("Alice", "alice@example.test"),),
)


def sent_with_calendar(office, method, content):
    """The text, the calendar and the file of the letter that arrived, after its outer form is looked at."""
    mail.send(office.url, SENDER, letter(body="Živjo, .\n", calendar=mail.Calendar(method, content)))
    [(_, message)] = office.letters
    assert message.get_content_type() == "multipart/mixed"
    assert message.defects == []
    assert message["Content-Language"] == "en"
    both, file = message.iter_parts()
    assert both.get_content_type() == "multipart/alternative"
    text, calendar = both.iter_parts()
    assert [part.get_content_type() for part in (text, calendar, file)] == [
        "text/plain",
        "text/calendar",
        "application/ics",
    ]
    assert [part.defects for part in (both, text, calendar, file)] == [[], [], [], []]
    return text, calendar, file


@pytest.mark.parametrize(("method", "write"), [("REQUEST", ical.request), ("CANCEL", ical.cancel)])
def test_a_letter_brings_what_it_does_to_the_calendar(office, method, write):
    content = write(INVITED, "sl")
    text, calendar, file = sent_with_calendar(office, method, content)
    assert text.get_content().replace("\r\n", "\n") == "Živjo, .\n"
    assert calendar.get_content_charset() == "utf-8"
    assert calendar.get_payload(decode=True) == file.get_payload(decode=True) == content
    assert calendar["Content-Type"].params["method"] == method == Calendar.from_ical(content)["METHOD"]
    assert calendar.get_content_disposition() is None
    assert (file.get_content_disposition(), file.get_filename()) == ("attachment", "invite.ics")


def test_the_last_day_arrives_although_the_clocks_change_on_it(office):
    _, calendar, file = sent_with_calendar(office, "REQUEST", ical.request(INVITED, "sl"))
    for part in (calendar, file):
        [event] = Calendar.from_ical(part.get_payload(decode=True)).events
        assert (event.start, event.end) == (date(2026, 3, 23), date(2026, 3, 30))
        assert event["SUMMARY"] == " ".join(INVITED.summary.split())


def test_the_same_letter_again_has_the_same_name(office):
    for _ in range(2):
        mail.send(office.url, SENDER, letter())
    assert {message["Message-ID"] for _, message in office.letters} == {"<notice-7@board.test>"}


@pytest.mark.parametrize("end", ["\r\n", "\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\x00"])
def test_no_text_makes_a_header_of_its_own(office, end):
    mail.send(office.url, SENDER, letter(subject=f"Hello{end}Bcc: eve@example.test{end}{end}Body"))
    [(address, message)] = office.letters
    assert office.tries == [address]
    assert message["Bcc"] is None
    assert message["Subject"] == "Hello Bcc: eve@example.test Body"


@pytest.mark.parametrize(
    "address",
    [
        "alice@example.test\r\nBcc: eve@example.test",
        "alice@example.test, eve@example.test",
        "<alice@example.test> RCPT TO:<eve@example.test>",
        "alice",
        "",
        "alice@",
        "alice@exam ple.test",
        "alice@example.test\x00",
    ],
)
def test_an_address_that_is_none_goes_nowhere(office, address):
    with pytest.raises(mail.Refused) as refused:
        mail.send(office.url, SENDER, letter(to=address))
    assert office.tries == []
    assert "example" not in str(refused.value)


@pytest.mark.parametrize("reply", ["550 no alice@example.test here", "553 no", "501 no"])
def test_a_refusal_for_good_is_told_apart(reply):
    with PostOffice(lambda address, nth: reply) as office, pytest.raises(mail.Refused) as refused:
        mail.send(office.url, SENDER, letter())
    assert str(refused.value) == f"recipient {reply[:3]}"
    assert refused.value.__cause__ is None
    assert refused.value.__suppress_context__, "the error before it, which names the address, would be logged"


@pytest.mark.parametrize("reply", ["450 busy", "451 greylisted", "452 full"])
def test_a_refusal_for_now_is_told_apart(reply):
    with PostOffice(lambda address, nth: reply) as office, pytest.raises(mail.Postponed) as postponed:
        mail.send(office.url, SENDER, letter())
    assert str(postponed.value) == f"recipient {reply[:3]}"


def test_a_server_that_is_not_there_postpones():
    with pytest.raises(mail.Postponed):
        mail.send(f"smtp://127.0.0.1:{free_port()}", SENDER, letter())


def test_a_text_that_is_refused_is_refused():
    class Picky(PostOffice):
        async def handle_DATA(self, server, session, envelope):
            return "554 spam"

    with Picky() as office, pytest.raises(mail.Refused, match="text 554"):
        mail.send(office.url, SENDER, letter())


def test_a_taken_letter_is_not_sent_again_because_the_goodbye_failed():
    class Rude(PostOffice):
        async def handle_QUIT(self, server, session, envelope):
            server.transport.abort()
            return "221 never heard"

    with Rude() as office:
        mail.send(office.url, SENDER, letter())
        assert len(office.letters) == 1


def test_starttls_is_used_where_it_is_offered(tls, trusted):
    with PostOffice(tls_context=tls, require_starttls=True) as office:
        mail.send(office.url, SENDER, letter())
        assert len(office.letters) == 1


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(tls):
    with PostOffice(tls_context=tls) as office:
        with pytest.raises(mail.Postponed, match="SSLCertVerificationError"):
            mail.send(office.url, SENDER, letter())
        assert office.letters == []


def test_smtps_is_encrypted_from_the_start(tls, trusted):
    with PostOffice(ssl_context=tls) as office:
        mail.send(office.url.replace("smtp:", "smtps:"), SENDER, letter())
        assert len(office.letters) == 1


class Guarded:
    """Lets one user in, and remembers who knocked."""

    def __init__(self):
        self.knocked = []

    def __call__(self, server, session, envelope, mechanism, data):
        self.knocked.append((data.login, data.password))
        return AuthResult(success=(data.login, data.password) == (b"mailer", b"p@ss/word"))


def test_user_and_password_are_given(tls, trusted):
    guard = Guarded()
    with PostOffice(tls_context=tls, authenticator=guard, auth_required=True) as office:
        url = office.url.replace("smtp://", "smtp://mailer:p%40ss%2Fword@")
        mail.send(url, SENDER, letter())
        assert len(office.letters) == 1
    assert guard.knocked == [(b"mailer", b"p@ss/word")]


def test_a_wrong_password_is_ours_to_mend_and_no_refusal(tls, trusted):
    with PostOffice(tls_context=tls, authenticator=Guarded(), auth_required=True) as office:
        url = office.url.replace("smtp://", "smtp://mailer:wrong@")
        with pytest.raises(mail.Postponed) as postponed:
            mail.send(url, SENDER, letter())
    assert "wrong" not in str(postponed.value)


def test_a_password_does_not_leave_the_machine_unencrypted(monkeypatch):
    guard = Guarded()
    monkeypatch.setattr(mail, "LOOPBACK", frozenset())
    office = PostOffice(authenticator=guard, auth_require_tls=False)
    with office, pytest.raises(mail.Postponed, match="no TLS"):
        mail.send(office.url.replace("smtp://", "smtp://mailer:p%40ss%2Fword@"), SENDER, letter())
    assert guard.knocked == []


def test_a_server_that_never_answers_does_not_hold_us_for_ever(monkeypatch):
    monkeypatch.setattr(mail, "TIMEOUT_S", 0.3)
    with PostOffice(delay_s=5) as office, pytest.raises(mail.Postponed):
        mail.send(office.url, SENDER, letter())
