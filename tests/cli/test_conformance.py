"""`valetkey conformance setup`: what the suite needs, registered and written down."""

import json
import re
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Shell
from valetkey.cli.conformance.suite import PLANS, Person, Place, configuration

ISSUER = "https://id.example:8444"
FILES = ("security-profile.json", "message-signing.json")
TEMPLATES = Path(__file__).parents[2] / "conformance"


def set_up(shell: Shell, *more: str) -> Any:
    said = shell("conformance", "setup", "run", *more, "--json", VALETKEY_ISSUER=ISSUER)
    assert said.code == 0, said.err
    assert said.json["files"] == [str(Path("run").resolve() / name) for name in FILES]
    return [json.loads(Path("run", name).read_text()) for name in FILES]


def test_the_clients_are_there_with_the_keys_that_are_written(shell: Shell) -> None:
    for file, name in zip(set_up(shell), ("security-profile", "message-signing"), strict=True):
        assert file["server"] == {"discoveryUrl": f"{ISSUER}/.well-known/oauth-authorization-server"}
        assert file["resource"]["resourceUrl"] == f"{ISSUER}/v1/users/self"
        kids = set()
        for client, alg in ((file["client"], "PS256"), (file["client2"], "ES256")):
            (key,) = client["jwks"]["keys"]
            assert key["alg"] == alg and len(key["d"]) > 40
            kids.add(key["kid"])
            app = shell("apps", "show", client["client_id"], "--json").json
            assert (app["name"], app["profile"]) == (f"Conformance: {name} {alg}", "fapi2")
            assert app["redirect_uris"][1] == app["redirect_uris"][0] + "?dummy1=lorem&dummy2=ipsum"
            assert app["secrets"] == []
        assert len(kids) == 2


def test_who_logs_in_is_not_who_says_no(shell: Shell) -> None:
    file, _ = set_up(shell)
    deny = file["override"]["fapi2-security-profile-final-user-rejects-authentication"]["browser"]
    words = [json.dumps(said["tasks"][0]["commands"]) for said in (file["browser"][0], deny[0])]
    assert "conformance-yes" in words[0] and "conformance-no" in words[1]
    names = {account["username"] for account in shell("users", "list", "--json").json}
    assert names == {"conformance-yes", "conformance-no"}


def test_nobody_else_reads_the_files(shell: Shell) -> None:
    set_up(shell)
    assert {stat.S_IMODE(Path("run", name).stat().st_mode) for name in FILES} == {0o600}


def test_again_replaces(shell: Shell) -> None:
    before, after = (set_up(shell, "--alias", alias) for alias in ("first", "second"))
    assert before[0]["client"]["client_id"] != after[0]["client"]["client_id"]
    apps = shell("apps", "list", "--owner", "conformance-yes", "--json").json
    ids = {file[which]["client_id"] for file in after for which in ("client", "client2")}
    assert {app["client_id"] for app in apps} == ids
    callback = "https://localhost.emobix.co.uk:8443/test/a/second/callback"
    assert {app["redirect_uris"][0] for app in apps} == {callback}


def test_what_is_run_is_printed(shell: Shell) -> None:
    said = shell("conformance", "setup", "run", VALETKEY_ISSUER=ISSUER)
    assert said.err == "In the suite's own folder:\n"
    first, *rest = said.out.splitlines()
    assert first == "python3 scripts/run-test-plan.py \\"
    assert [re.match(r"  '([\w-]+)\[", line)[1] for line in rest] == [  # type: ignore[index]
        *["fapi2-security-profile-final-test-plan"] * 2,
        *["fapi2-message-signing-final-test-plan"] * 2,
    ]
    assert all(line.endswith(" \\") for line in rest[:-1]) and not rest[-1].endswith("\\")


def test_an_issuer_without_tls_is_refused(shell: Shell) -> None:
    said = shell("conformance", "setup", "run", VALETKEY_ISSUER="http://id.example")
    assert said.code == 2 and said.err.startswith("issuer: must start with https://")
    assert not Path("run").exists()


@pytest.mark.parametrize("plan", PLANS, ids=lambda plan: plan.name)
def test_the_files_to_fill_in_by_hand_are_the_same(plan: Any) -> None:
    yes, no = Person("USERNAME", "PASSWORD"), Person("OTHER_USERNAME", "OTHER_PASSWORD")
    place = Place("https://ISSUER", "https://SUITE", "valetkey", yes, no)
    clients = [(f"CLIENT_ID_{number}", {"kty": "PRIVATE_KEY"}) for number in (1, 2)]
    text = json.dumps(configuration(place, plan, clients), indent=2) + "\n"
    assert (TEMPLATES / f"{plan.name}.json").read_text() == text
