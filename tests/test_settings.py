"""Settings: file, environment and flags, in this order, and what is said about a wrong one."""

from pathlib import Path

import msgspec
import pytest

from tests.publisher import NAMES, certified
from valetkey.protocol.model import Scope
from valetkey.settings import (
    RegistrationSettings,
    ServerSettings,
    Settings,
    SettingsError,
    env_name,
    load,
    settable,
)


def test_each_source_goes_over_the_one_before(tmp_path: Path):
    file = tmp_path / "valetkey.toml"
    file.write_text(
        'issuer = "https://file.example"\n[server]\nport = 1\nworkers = 2\n[consent]\nremember = false\n'
    )
    found = load(file, {"VALETKEY_SERVER_PORT": "3"}, {"server.workers": 4, "server.host": None})
    assert (found.issuer, found.server.port, found.server.workers) == ("https://file.example", 3, 4)
    assert found.consent.remember is False
    assert found.server.host == "127.0.0.1"


@pytest.mark.parametrize("name", sorted(settable()))
def test_every_setting_can_come_from_the_environment(name: str, tmp_path: Path):
    default = settable()[name]
    text, value = example(name, default, tmp_path)
    found = load(Path("/dev/null"), {env_name(name): text})
    section, _, key = name.rpartition(".")
    assert getattr(getattr(found, section) if section else found, key) == value


CHOICES = {
    "issuer": "https://example.org",
    "server.client_certificate_url": "https://mtls.example.org",
    "registration.mode": "token",
    "registration.profile": "mcp",
}


def example(name: str, default: object, folder: Path) -> tuple[str, object]:
    if isinstance(default, bool):
        return ("off", False) if default else ("on", True)
    if isinstance(default, int):
        return str(default + 7), default + 7
    if isinstance(default, tuple):
        return "10.0.0.1, 10.0.0.2", ("10.0.0.1", "10.0.0.2")
    if name == "fetch.ca":
        return (file := str(certified(NAMES, folder)[0])), file
    if name in CHOICES:
        return (choice := CHOICES[name]), choice
    return "something", "something"


@pytest.mark.parametrize(
    ("toml", "environment", "words"),
    [
        ("colour = 1", {}, "colour"),
        ("[server]\nport = 'x'", {}, "port"),
        ("[nothing]\nx = 1", {}, "nothing"),
        ("= =", {}, "cannot read"),
        ("", {"VALETKEY_LOGIN_THROTTLE": "perhaps"}, "VALETKEY_LOGIN_THROTTLE: say on or off"),
        ("", {"VALETKEY_SERVER_PORT": "many"}, "VALETKEY_SERVER_PORT: a number"),
        ("issuer = 'example.org'", {}, "issuer: a URL"),
        ("issuer = 'https://example.org/?x'", {}, "issuer: no query"),
        ("issuer = 'https://'", {}, "issuer: a URL"),
        ("issuer = 'https:///path'", {}, "issuer: a URL"),
        ("issuer = 'https://[::1'", {}, "issuer: a URL"),
        ("issuer = 'https://id.example:99999'", {}, "issuer: a URL"),
        ("issuer = 'https://me:secret@id.example'", {}, "issuer: a URL"),
        ("issuer = 'https://id example'", {}, "issuer: a URL"),
        ("issuer = 'https://id.example//other.example'", {}, "issuer: a URL"),
        (r"issuer = 'https://id.example/a\d'", {}, "issuer: a URL"),
        ("server = 5", {"VALETKEY_SERVER_PORT": "80"}, r"Expected `object`, got `int` - at `\$.server`"),
        ("[server]\nworkers = 0", {}, "server.workers: 1 or more"),
        ("[server]\nbody_deadline = -1", {}, "server.body_deadline: 1 or more"),
        ("[server]\nidle_deadline = 0", {}, "server.idle_deadline: 1 or more"),
        ("[login]\nwindow = 0", {}, "login.window: 1 or more"),
        ("[login]\nhash_threads = -1", {}, "login.hash_threads: 0 or more"),
        ("", {"VALETKEY_API_RATE_LIMIT": "-1"}, "api.rate_limit: 0 or more"),
        ("[server]\ntrusted_proxies = ['10.0.0.0/33']", {}, "server.trusted_proxies: '10.0.0.0/33' is no"),
        ("[server]\nclient_certificate_url = 'http://a.test'", {}, "server.client_certificate_url: a URL"),
        (
            "[server]\nclient_certificate_url = 'https://a.test/?x'",
            {},
            "server.client_certificate_url: a URL",
        ),
        ("[fetch]\nca = '/dev/null'", {}, "fetch.ca: no certificates can be read there"),
        ("[fetch]\nca = '/nowhere.pem'", {}, "fetch.ca: no certificates can be read there"),
        ("[scopes]\nlikes = 'Like things'", {}, "the catalogue must have basic"),
        ("[keys]\nlead = 599", {}, "keys.lead: 600 or more"),
        ("[keys]\nlifetime = 100000", {}, "keys.lead: .* at most half of keys.lifetime"),
        ("[[trusted_issuers]]\nissuer = 'x'", {}, "needs jwks, or a jwks_uri with https"),
        ("[[trusted_issuers]]\nissuer = 'x'\njwks_uri = 'http://a.example/'", {}, "with https"),
        ("[[trusted_issuers]]\nissuer = 'x'\njwks = '{}'\nsubject = 'mail'", {}, "subject is id or username"),
        ("[[trusted_issuers]]\nissuer = 'x'\njwks = 'keys'", {}, "jwks of 'x' is not a JSON object"),
        ("[[trusted_issuers]]\nissuer = 'x'\njwks = '{\"keys\":[]}'", {}, "jwks of 'x' has no keys"),
        ("[[trusted_issuers]]\nissuer = 'x'\ncolour = 1", {}, "colour"),
        ("[[resources]]\nuri = 'photos'", {}, "resources: 'photos' is no absolute URI"),
        ("[[resources]]\nuri = 'https://a.example/#b'", {}, "without a fragment"),
        ("[[resources]]\nuri = 'https://a.example/ b'", {}, "no absolute URI"),
        ("[[resources]]\nuri = 'urn:a'\ntoken_format = 'xml'", {}, "token_format of urn:a is opaque or jwt"),
        ("[[resources]]\nuri = 'urn:a'\n[[resources]]\nuri = 'urn:a'", {}, "there twice"),
        ("[[resources]]\nuri = 'urn:a'\ncolour = 1", {}, "colour"),
    ],
)
def test_a_wrong_setting_is_named(tmp_path: Path, toml: str, environment: dict[str, str], words: str):
    file = tmp_path / "valetkey.toml"
    file.write_text(toml)
    with pytest.raises(SettingsError, match=words.replace("?", r"\?")):
        load(file, environment)


def test_a_file_that_is_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    with pytest.raises(SettingsError, match="cannot read"):
        load(tmp_path / "nowhere.toml", {})
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("VALETKEY_CONFIG", "nowhere.toml")
    with pytest.raises(SettingsError, match=r"cannot read nowhere\.toml"):
        load(environment={})
    monkeypatch.setenv("VALETKEY_CONFIG", "")
    assert load(environment={}) == Settings()


def test_the_catalogue_is_a_table_of_words(tmp_path: Path):
    file = tmp_path / "valetkey.toml"
    file.write_text('[scopes]\nbasic = "Who you are"\nprints = {words = "Order prints", sensitive = true}\n')
    catalogue = load(file, {}).scopes
    assert catalogue["basic"].words == "Who you are"
    assert catalogue["prints"] == Scope("prints", "Order prints", True)
    assert set(catalogue) == {"basic", "prints"}


def test_the_public_address_is_the_issuer_or_this_machine():
    assert Settings().public_url == "http://127.0.0.1:8000"
    assert Settings(server=ServerSettings(host="::1")).public_url == "http://[::1]:8000"
    assert (
        msgspec.structs.replace(Settings(), issuer="https://id.example/").public_url == "https://id.example"
    )


def test_mcp_is_one_switch() -> None:
    """It opens what is shut; who says more keeps it."""
    plain, switched = Settings().joining, Settings(mcp=True).joining
    assert (plain.mode, plain.profile, plain.metadata_documents) == ("off", "oauth21", False)
    assert (switched.mode, switched.profile, switched.metadata_documents) == ("open", "mcp", True)
    guarded = Settings(mcp=True, registration=RegistrationSettings(mode="token", per_network=1)).joining
    assert (guarded.mode, guarded.profile, guarded.per_network) == ("token", "mcp", 1)


@pytest.mark.parametrize(("name", "value"), [("mode", "on"), ("profile", "classic"), ("profile", "fapi2")])
def test_nobody_registers_under_rules_that_are_not_for_strangers(name: str, value: str) -> None:
    with pytest.raises(SettingsError, match=f"registration.{name}"):
        load(Path("/dev/null"), {env_name(f"registration.{name}"): value})
