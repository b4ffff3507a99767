"""`valetkey config`: what the settings are, and what is doubtful about them."""

import json
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click

from valetkey.cli.terminal import Refused, Terminal, shared, without_password

if TYPE_CHECKING:
    from valetkey.settings import Settings

HERE = ("127.0.0.1", "localhost", "::1")
LEVELS = ("debug", "info", "warning", "error")


@click.group()
def config() -> None:
    """The settings."""


@config.command("check")
@shared
def check(terminal: Terminal) -> None:
    """Read the settings as `serve` would; says what is wrong (and ends with 1) or doubtful."""
    try:
        settings = terminal.settings()
    except Refused as refused:
        raise Refused(refused.message) from None
    wrong, doubts = mistakes(settings), doubtful(settings)
    for doubt in doubts:
        terminal.note(f"warning: {doubt}")
    if wrong:
        raise Refused(*wrong)
    terminal.show({"ok": True, "warnings": doubts}, "ok")


@config.command("show")
@shared
def show(terminal: Terminal) -> None:
    """Every setting as it holds here, in the form of valetkey.toml; passwords in addresses are left out."""
    import msgspec

    settings = terminal.settings()
    tree: dict[str, Any] = msgspec.to_builtins(settings)
    tree["database"] = without_password(settings.database)
    terminal.show(tree, *toml(tree))


def mistakes(settings: "Settings") -> list[str]:
    """What cannot work."""
    from valetkey.protocol.profiles import PROFILES
    from valetkey.server.key_pairs import ALGORITHMS

    found = []
    if settings.apps.profile not in PROFILES:
        found.append(f"apps.profile: must be one of {', '.join(PROFILES)}")
    if not settings.keys.algorithms or not set(settings.keys.algorithms) <= set(ALGORITHMS):
        found.append(f"keys.algorithms: must be some of {', '.join(ALGORITHMS)}")
    if settings.log.level not in LEVELS:
        found.append(f"log.level: must be one of {', '.join(LEVELS)}")
    if not 0 <= settings.server.port <= 65535:
        found.append("server.port: must be 0 to 65535")
    if settings.database.startswith("memory:") and settings.server.workers > 1:
        found.append("server.workers: a database in memory cannot be shared; 1 is all it allows")
    return found


def doubtful(settings: "Settings") -> list[str]:
    """What works, but perhaps not as meant."""
    found, parts = [], urlsplit(settings.public_url)
    if not settings.issuer:
        found.append(f"issuer: is not set; people and apps are told to come to {settings.public_url}")
    if parts.scheme == "http" and parts.hostname not in HERE:
        found.append("issuer: is http; passwords and tokens cross the network in the clear")
    if settings.issuer.startswith("https://") and not settings.server.trusted_proxies:
        found.append(
            "server.trusted_proxies: is empty; behind a proxy everybody seems to come from one address"
        )
    if settings.server.client_certificate_header and not settings.server.trusted_proxies:
        found.append("server.client_certificate_header: is read from nobody; server.trusted_proxies is empty")
    if settings.server.client_certificate_url and not settings.server.client_certificate_header:
        found.append("server.client_certificate_url: is told to nobody; no header hands certificates over")
    if settings.api.acr_values and not {*settings.api.acr_values} & {*settings.login.acr}:
        found.append("api.acr_values: has none of login.acr; every call of the API is refused")
    if settings.database.startswith("memory:"):
        found.append("database: is in memory; everything is gone when the server ends")
    if not settings.login.throttle:
        found.append("login.throttle: is off; passwords can be guessed without end")
    return found


def toml(tree: dict[str, Any]) -> list[str]:
    """The tree as lines of TOML: plain values first, then the sections."""
    lines = [
        plain(name, value)
        for name, value in tree.items()
        if not isinstance(value, dict) and not tables(value)
    ]
    for section, values in tree.items():
        if isinstance(values, dict):
            lines += ["", f"[{section}]", *(plain(name, value) for name, value in values.items())]
        for each in tables(values):
            lines += ["", f"[[{section}]]", *(plain(name, value) for name, value in each.items())]
    return lines


def tables(value: Any) -> list[dict[str, Any]]:
    """What stands under [[name]]: records, one after another."""
    return list(value) if isinstance(value, list | tuple) and value and isinstance(value[0], dict) else []


def plain(name: str, value: Any) -> str:
    """One line of TOML; a scope of the catalogue is a table in one line, its name stands before it."""
    if isinstance(value, dict):
        return f"{name} = {{ {', '.join(plain(key, said) for key, said in value.items() if key != 'name')} }}"
    return f"{name} = {json.dumps(value, ensure_ascii=False)}"
