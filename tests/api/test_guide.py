"""The examples of docs/api/README.md for machines do what they say, line by line."""

import argparse
import base64
import json
import shlex
from pathlib import Path
from string import Template

import pytest
from pydantic import SecretStr

from app import cli
from tests.api.conftest import BASE, Api

GUIDE = (Path(__file__).parents[2] / "docs/api/README.md").read_text(encoding="utf-8")
BLOCK = GUIDE.partition("## Machines")[2].partition("\n    ")[2].partition("\n\n")[0]


def lines() -> list[str]:
    return [line.strip() for line in f"    {BLOCK}".splitlines()]


def curl(api: Api, line: str):
    """The request that a line of curl makes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-u", dest="user")
    parser.add_argument("-H", dest="headers", action="append", default=[])
    parser.add_argument("-d", dest="fields", action="append", default=[])
    parser.add_argument("address")
    asked = parser.parse_args(shlex.split(line)[1:])
    headers = dict(header.split(": ", 1) for header in asked.headers)
    if asked.user:
        headers["Authorization"] = "Basic " + base64.b64encode(asked.user.encode()).decode()
    address = asked.address.replace("http://127.0.0.1:8000", BASE)
    if not asked.fields:
        return api.client.get(address, headers=headers)
    return api.client.post(address, data=dict(field.split("=", 1) for field in asked.fields), headers=headers)


def test_the_examples_for_machines_work(
    api: Api, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    make, ask, use, give_back = lines()
    settings = api.inside.state.context.settings
    assert isinstance(settings.database_url, SecretStr)
    monkeypatch.setattr(cli, "_prepared", lambda: settings)
    here = make.replace("coordinator@demo.example", "cora@example.org").replace(
        "--programme demo", "--programme here"
    )
    cli.app(shlex.split(here)[1:], standalone_mode=False)
    made = json.loads(capsys.readouterr().out)
    known = {"CLIENT_ID": made["client_id"], "CLIENT_SECRET": made["client_secret"]}
    answer = curl(api, Template(ask).substitute(known))
    assert answer.status_code == 200, answer.text
    assert {**answer.json(), "access_token": "pfc_cat_…"} == {
        "access_token": "pfc_cat_…",
        "token_type": "Bearer",
        "expires_in": 3600,
        "scope": "read",
    }
    known["TOKEN"] = answer.json()["access_token"]
    assert curl(api, Template(use).substitute(known)).json()["name"] == "Register"
    assert curl(api, Template(give_back).substitute(known)).status_code == 200
    assert curl(api, Template(use).substitute(known)).status_code == 401
