"""`valetkey apps`: any app of anybody."""

import re

import pytest

from tests.cli.conftest import Shell


@pytest.fixture(autouse=True)
def owner(shell: Shell) -> None:
    shell.account("alice")


def test_add_prints_id_and_secret(shell: Shell) -> None:
    app = shell.app("alice")
    assert re.fullmatch(r"[0-9a-f]{32}", app["client_id"]) and app["client_secret"].startswith("vk_cs_")
    assert (app["type"], app["profile"], app["owner"]) == ("web", "classic", "alice")
    assert app["redirect_uris"] == ["https://app.example/cb"]
    assert app["token_url"] == "http://127.0.0.1:8000/oauth/access_token"
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
        "alice", "--redirect-uri", "https://app.example/2", "--allow-implicit", "--sandbox", "--signed-requests",
        "--description", "What it does", "--website", "https://app.example/",
    )  # fmt: skip
    shown = shell("apps", "show", app["client_id"], "--json").json
    assert shown == {name: value for name, value in app.items() if name != "client_secret"}
    assert shown["allow_implicit"] and shown["sandbox"] and shown["signed_requests"]
    assert len(shown["redirect_uris"]) == 2 and shown["description"] == "What it does"


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
