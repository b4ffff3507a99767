"""`valetkey apps`: any app of anybody."""

import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.signing import Signer


@pytest.fixture(autouse=True)
def owner(shell: Shell) -> None:
    shell.account("alice")


def test_add_prints_id_and_secret(shell: Shell) -> None:
    app = shell.app("alice")
    assert re.fullmatch(r"[0-9a-f]{32}", app["client_id"]) and app["client_secret"].startswith("vk_cs_")
    assert (app["type"], app["profile"], app["owner"]) == ("web", "oauth21", "alice")
    assert app["redirect_uris"] == ["https://app.example/cb"]
    assert app["token_url"] == "http://127.0.0.1:8000/oauth/token"
    classic = shell.app("alice", "--profile", "classic")
    assert classic["token_url"] == "http://127.0.0.1:8000/oauth/access_token"
    said = shell("apps", "add", "B", "--owner", "alice", "--redirect-uri", "https://b.example/")
    assert re.fullmatch(
        r"client_id      [0-9a-f]{32}\nclient_secret  vk_cs_\S+  \(shown this once\)\n", said.out
    )


def test_a_public_app_gets_no_secret(shell: Shell) -> None:
    app = shell.app("alice", "--type", "spa", "--profile", "oauth21")
    assert app["client_secret"] is None and app["secrets"] == []
    assert app["token_url"].endswith("/oauth/token")


def test_every_switch(shell: Shell) -> None:
    app = shell.app(
        "alice", "--profile", "classic", "--redirect-uri", "https://app.example/2", "--allow-implicit",
        "--sandbox", "--signed-requests",
        "--description", "What it does", "--website", "https://app.example/",
    )  # fmt: skip
    shown = shell("apps", "show", app["client_id"], "--json").json
    assert shown == {name: value for name, value in app.items() if name != "client_secret"}
    assert shown["allow_implicit"] and shown["sandbox"] and shown["signed_requests"]
    assert len(shown["redirect_uris"]) == 2 and shown["description"] == "What it does"


DEVICE = "urn:ietf:params:oauth:grant-type:device_code"
KEYS = json.dumps({"keys": [Signer("ES256", kid="a").jwk]})


def test_what_it_registers_is_said_in_the_names_of_the_standards(shell: Shell) -> None:
    Path("keys.json").write_text(KEYS + "\n")
    app = shell.app(
        "alice", "--profile", "oauth21", "--set", f"grant_types=authorization_code {DEVICE}",
        "--set", "scope=basic likes", "--set", "optional_scope=likes", "--set", "jwks=@keys.json",
        "--set", "token_endpoint_auth_method=private_key_jwt", "--set", "dpop_bound_access_tokens=yes",
        "--set", "introspects=on",
    )  # fmt: skip
    assert app["grant_types"] == ["authorization_code", DEVICE] and app["jwks"] == KEYS
    assert (app["scope"], app["optional_scope"]) == (["basic", "likes"], ["likes"])
    assert app["dpop_bound_access_tokens"] is True and app["introspects"] is True
    assert app["client_secret"] is None, "it proves who it is by its key"
    out = shell("apps", "show", app["client_id"]).out
    assert re.search(rf"^grant_types +authorization_code {DEVICE}$", out, re.MULTILINE)
    assert re.search("^introspects +yes$", out, re.MULTILINE) and "impersonates" not in out
    ours = "registration_token", "fresh_until", "moved_at", "exchanged_after", "left_at"
    assert not any(name in out for name in ours)


def test_edit_changes_what_is_said_and_nothing_else(shell: Shell) -> None:
    app = shell.app("alice", "--profile", "oauth21", "--sandbox", "--set", "scope=basic")
    said = shell(
        "apps", "edit", app["client_id"], "--name", "New", "--no-sandbox", "--set", "introspects=yes"
    )
    assert (said.code, said.out) == (0, "changed New\n")
    said = shell("apps", "edit", app["client_id"], "--redirect-uri", "https://b.example/", "--json").json
    assert said == {name: value for name, value in app.items() if name != "client_secret"} | {
        "name": "New", "sandbox": False, "introspects": True, "redirect_uris": ["https://b.example/"],
    }  # fmt: skip
    cleared = shell(
        "apps", "edit", app["client_id"], "--set", "scope=", "--set", "introspects=no", "--json"
    ).json
    assert (cleared["scope"], cleared["introspects"]) == ([], False)


@pytest.mark.parametrize(
    ("pairs", "code", "words"),
    [
        (("scope",), 2, "set: NAME=VALUE with a NAME out of grant_types, "),
        (("=x",), 2, "set: NAME=VALUE"),
        (("nonsense=x",), 2, "set: NAME=VALUE"),
        (("registration_token=x",), 2, "set: NAME=VALUE"),
        (("scope=basic", "scope=likes"), 2, "set: scope is said twice; "),
        (("introspects=maybe",), 2, "set: introspects is yes or no, not 'maybe'"),
        (("jwks=@nowhere.json",), 1, "set: cannot read jwks from nowhere.json: "),
        (("jwks={}",), 1, "jwks: has no list of keys"),
        (("scope=everything",), 1, "scope: has 'everything', which is not in the catalogue"),
        (("grant_types=password",), 1, "grant_types: cannot have password: this profile does not know it"),
    ],
)
def test_what_cannot_be_registered(shell: Shell, pairs: tuple[str, ...], code: int, words: str) -> None:
    app = shell.app("alice", "--profile", "oauth21")
    said = shell("apps", "edit", app["client_id"], *(word for pair in pairs for word in ("--set", pair)))
    assert said.code == code and said.err.startswith(words) and said.out == "", said.err
    assert shell("apps", "show", app["client_id"], "--json").json["scope"] == []


def test_the_profile_is_the_setting_unless_it_is_said(shell: Shell) -> None:
    words = ("apps", "add", "A", "--owner", "alice", "--redirect-uri", "https://app.example/cb", "--json")
    assert shell(*words, VALETKEY_APPS_PROFILE="oauth20").json["profile"] == "oauth20"
    assert shell(*words, "--profile", "classic", VALETKEY_APPS_PROFILE="oauth20").json["profile"] == "classic"


def test_everything_that_is_wrong_is_said_at_once(shell: Shell) -> None:
    words = ("--type", "toaster", "--profile", "nonsense", "--redirect-uri", "javascript:alert(1)")
    said = shell("apps", "add", "", "--owner", "alice", *words, "--json")
    assert said.code == 1 and said.out == ""
    assert [line.partition(":")[0] for line in said.err.splitlines()] == [
        "name",
        "type",
        "profile",
        "redirect_uris",
    ]


def test_an_owner_that_is_not_there(shell: Shell) -> None:
    said = shell("apps", "add", "A", "--owner", "nobody", "--redirect-uri", "https://app.example/cb")
    assert (said.code, said.err) == (1, "username: there is no account 'nobody'\n")


@pytest.mark.parametrize(
    "uri", [" https://app.example/cb", "https://app.example/cb\n", "https://app.example/cb\t"]
)
def test_a_redirect_uri_is_taken_as_it_is_or_not_at_all(shell: Shell, uri: str) -> None:
    said = shell("apps", "add", "A", "--owner", "alice", "--redirect-uri", uri)
    assert said.code == 1 and said.err.startswith("redirect_uris: cannot have ")


def test_list(shell: Shell) -> None:
    shell.account("bob")
    mine, theirs = shell.app("alice"), shell.app("bob", "--sandbox")
    listed = {app["client_id"] for app in shell("apps", "list", "--json").json}
    assert listed == {mine["client_id"], theirs["client_id"]}
    assert [app["client_id"] for app in shell("apps", "list", "--owner", "bob", "--json").json] == [
        theirs["client_id"]
    ]
    lines = shell("apps", "list").out.splitlines()
    assert len(lines) == 3 and any("bob" in line and line.endswith("sandbox") for line in lines)
    assert shell("apps", "list", "--owner", "nobody").code == 1


def test_show_for_people(shell: Shell) -> None:
    app = shell.app("alice")
    out = shell("apps", "show", app["client_id"]).out
    assert "allow_implicit   no\n" in out and f"...{app['client_secret'][-4:]} (ends never)" in out
    assert app["client_secret"] not in out


def test_a_new_secret_may_overlap_with_the_old_one(shell: Shell) -> None:
    app = shell.app("alice")
    said = shell("apps", "rotate-secret", app["client_id"], "--overlap", "1h", "--json")
    assert said.json["client_secret"] not in (None, app["client_secret"]) and said.json["overlap"] == 3600
    secrets = shell("apps", "show", app["client_id"], "--json").json["secrets"]
    assert [one["expires_at"] is None for one in secrets] == [True, False]
    out = shell("apps", "rotate-secret", app["client_id"]).out
    assert out.startswith("client_secret  vk_cs_")
    assert len(shell("apps", "show", app["client_id"], "--json").json["secrets"]) == 1


@pytest.mark.parametrize("overlap", ["1x", "", "-1", "h", "²", "99999999999"])
def test_an_overlap_that_is_no_time(shell: Shell, overlap: str) -> None:
    said = shell("apps", "rotate-secret", shell.app("alice")["client_id"], "--overlap", overlap)
    assert said.code == 2 and said.err.startswith("overlap: ")


def test_a_public_app_has_no_secret_to_rotate(shell: Shell) -> None:
    said = shell("apps", "rotate-secret", shell.app("alice", "--type", "spa")["client_id"])
    assert (said.code, said.err) == (1, "secret: is nothing that this type of app can keep\n")


def test_delete(shell: Shell) -> None:
    app = shell.app("alice")
    assert shell("apps", "delete", app["client_id"], "--yes").out == "deleted An app\n"
    assert shell("apps", "list", "--json").json == []


@pytest.mark.parametrize("words", [("show",), ("rotate-secret",), ("delete", "--yes")])
def test_an_app_that_is_not_there(shell: Shell, words: tuple[str, ...]) -> None:
    said = shell("apps", *words, "nothing")
    assert (said.code, said.out, said.err) == (1, "", "client_id: there is no app 'nothing'\n")
