"""Every setting is in the README's table, with its default, and the table names no other."""

import re
from pathlib import Path

from app.settings import Settings
from app.web import bodies, gateway, server, shedder

ROOT = Path(__file__).parent.parent.parent


def table() -> dict[str, str]:
    """The variables of the README's table, each with what stands under `default`."""
    rows = re.findall(r"^\| `PARTNERSHIP_(\w+)` \| (.*?) \|", (ROOT / "README.md").read_text(), re.MULTILINE)
    return {name.lower(): default for name, default in rows}


def test_every_setting_stands_in_the_readme_and_no_other() -> None:
    assert set(table()) == set(Settings.model_fields)


def test_the_defaults_in_the_readme_are_the_real_ones() -> None:
    settings = Settings(_env_file=None)
    for name, told in table().items():
        literal = re.fullmatch(r"`(.*)`", told)
        if literal is None or "HOST" in told:
            continue
        value = getattr(settings, name)
        plain = value.get_secret_value() if hasattr(value, "get_secret_value") else value
        assert str(plain) == literal[1], name


def test_the_first_screen_of_the_readme_says_the_two_commands() -> None:
    first = "\n".join((ROOT / "README.md").read_text().splitlines()[:25])
    assert "make run" in first
    assert "make test" in first


def test_no_setting_is_read_past_the_settings() -> None:
    readers = [
        str(path.relative_to(ROOT))
        for path in (ROOT / "app").rglob("*.py")
        if re.search(r"os\.(environ(\.get|\[)|getenv)", path.read_text())
    ]
    assert set(readers) <= {"app/integrations/identity_providers.py"}, (
        "only app/settings.py reads the environment"
    )


def test_a_server_on_all_addresses_is_reached_on_this_machine() -> None:
    assert Settings(_env_file=None, host="0.0.0.0", port=8001).base_url == "http://127.0.0.1:8001"
    assert Settings(_env_file=None, host="192.0.2.7").base_url == "http://192.0.2.7:8000"


def test_the_limits_in_the_handbook_are_the_real_ones() -> None:
    handbook = (ROOT / "docs" / "operation.md").read_text()
    assert f"| {shedder.INSIDE}, and {shedder.WAITING} that wait" in handbook
    assert f"| {gateway.LONGEST_ADDRESS // 1024} kB | 414 |" in handbook
    assert f"| {server.LARGEST_HEAD // 1024} kB, in {server.HEAD_S:.0f} s | 431, 408 |" in handbook
    assert f"| {bodies.MOST_BYTES // 1024} kB, in {server.BODY_S:.0f} s | 413" in handbook
    assert f"less than {server.IDLE_S} seconds" in handbook
