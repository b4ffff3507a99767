"""`valetkey config`: what holds here, what cannot work, what is doubtful."""

import tomllib
from pathlib import Path

import msgspec
import pytest

from tests.cli.conftest import Shell
from valetkey.settings import Settings, read_file


def test_show_is_a_settings_file(shell: Shell, tmp_path) -> None:  # type: ignore[no-untyped-def]
    out = shell("config", "show", VALETKEY_NAME='say "hi" \\ ⚘').out
    assert tomllib.loads(out)["server"]["port"] == 8000
    file = tmp_path / "shown.toml"
    file.write_text(out)
    read = msgspec.convert(read_file(file), Settings)
    assert msgspec.structs.replace(read, name="valetkey") == Settings(database=shell.database)


def test_tables_are_shown_as_tables(shell: Shell, tmp_path: Path) -> None:
    text = (
        '[[resources]]\nuri = "urn:one"\nname = "Öne"\n[[resources]]\nuri = "urn:two"\ntoken_format = "jwt"\n'
    )
    (tmp_path / "valetkey.toml").write_text(text)
    shown = tomllib.loads(shell("config", "show").out)["resources"]
    assert [(each["uri"], each["name"], each["token_format"]) for each in shown] == [
        ("urn:one", "Öne", "opaque"),
        ("urn:two", "", "jwt"),
    ]


def test_show_never_prints_a_password(shell: Shell) -> None:
    for words in ((), ("--json",)):
        said = shell("config", "show", *words, "--database", "postgresql://me:hunter2@host/db")
        assert "postgresql://me:***@host/db" in said.out and "hunter2" not in said.out


def test_check_is_content(shell: Shell) -> None:
    fine = {"VALETKEY_ISSUER": "https://id.example.org", "VALETKEY_SERVER_TRUSTED_PROXIES": "127.0.0.1"}
    said = shell("config", "check", **fine)
    assert (said.code, said.out, said.err) == (0, "ok\n", "")


@pytest.mark.parametrize(
    ("name", "value", "doubt"),
    [
        ("NAME", "x", "issuer: is not set"),
        ("ISSUER", "http://id.example.org", "issuer: is http"),
        ("ISSUER", "https://id.example.org", "server.trusted_proxies: is empty"),
        ("DATABASE", "memory://", "database: is in memory"),
        ("LOGIN_THROTTLE", "off", "login.throttle: is off"),
        ("API_ACR_VALUES", "urn:better", "api.acr_values: has none of login.acr"),
        (
            "SERVER_CLIENT_CERTIFICATE_HEADER",
            "X-Client-Cert",
            "server.client_certificate_header: is read from nobody",
        ),
        (
            "SERVER_CLIENT_CERTIFICATE_URL",
            "https://mtls.id.example.org",
            "server.client_certificate_url: is told to nobody",
        ),
    ],
)
def test_check_has_doubts(shell: Shell, name: str, value: str, doubt: str) -> None:
    said = shell("config", "check", "--json", **{f"VALETKEY_{name}": value})
    assert said.code == 0 and any(one.startswith(doubt) for one in said.json["warnings"])
    assert f"warning: {doubt}" in said.err


@pytest.mark.parametrize(
    ("environment", "err"),
    [
        ({"APPS_PROFILE": "nonsense"}, "apps.profile: must be one of "),
        ({"LOG_LEVEL": "loud"}, "log.level: must be one of "),
        ({"SERVER_PORT": "99999"}, "server.port: must be 0 to 65535"),
        ({"SERVER_PORT": "eighty"}, "VALETKEY_SERVER_PORT: a number"),
        ({"SERVER_TRUSTED_PROXIES": "nonsense"}, "server.trusted_proxies: 'nonsense' is no address"),
        ({"DATABASE": "memory://", "SERVER_WORKERS": "2"}, "server.workers: a database in memory"),
        ({"DATABASE": "nonsense"}, "database: a database's address is"),
        ({"ISSUER": "id.example.org"}, "issuer: "),
    ],
)
def test_check_refuses_what_cannot_work(shell: Shell, environment: dict[str, str], err: str) -> None:
    said = shell("config", "check", **{f"VALETKEY_{name}": value for name, value in environment.items()})
    assert said.code == 1 and said.out == ""
    assert any(line.startswith(err) for line in said.err.splitlines())
