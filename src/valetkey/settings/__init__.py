"""Everything an operator can set: one frozen record, read once from valetkey.toml, the environment and flags."""

import os
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct

from valetkey.settings.checks import checked
from valetkey.settings.sections import (
    MOST_CACHED,
    AccountSettings,
    ApiSettings,
    AppSettings,
    ConsentSettings,
    DpopSettings,
    FetchSettings,
    KeySettings,
    LoginSettings,
    LogSettings,
    RegistrationSettings,
    ServerSettings,
    SessionSettings,
    Settings,
    TokenSettings,
)
from valetkey.settings.sources import SettingsError, config_file, env_name, from_text, put, read_file

__all__ = [
    "MOST_CACHED",
    "AccountSettings",
    "ApiSettings",
    "AppSettings",
    "ConsentSettings",
    "DpopSettings",
    "FetchSettings",
    "KeySettings",
    "LogSettings",
    "LoginSettings",
    "RegistrationSettings",
    "ServerSettings",
    "SessionSettings",
    "Settings",
    "SettingsError",
    "TokenSettings",
    "config_file",
    "env_name",
    "load",
    "read_file",
    "settable",
]

TABLES = ("authorization_details", "resources", "scopes", "trusted_issuers")


def load(
    file: Path | None = None, environment: dict[str, str] | None = None, flags: dict[str, Any] | None = None
) -> Settings:
    """Settings out of a TOML file (default: valetkey.toml if it is there), then the environment, then flags.

    flags: dotted names such as "server.port". Raises SettingsError.
    """
    tree: dict[str, Any] = read_file(file)
    for name, value in settable().items():
        text = (os.environ if environment is None else environment).get(env_name(name))
        if text is not None:
            put(tree, name, from_text(name, text, value))
    for name, value in (flags or {}).items():
        if value is not None:
            put(tree, name, value)
    try:
        settings = msgspec.convert(tree, Settings, strict=True)
    except msgspec.ValidationError as error:
        raise SettingsError(f"in the settings: {error}") from None
    return checked(settings)


def settable() -> dict[str, Any]:
    """Every setting but the tables: dotted name -> default."""
    names: dict[str, Any] = {}
    for name, value in msgspec.structs.asdict(Settings()).items():
        if isinstance(value, Struct):
            names.update({f"{name}.{key}": inner for key, inner in msgspec.structs.asdict(value).items()})
        elif name not in TABLES:
            names[name] = value
    return names
