"""Where settings come from: a TOML file, the environment, flags, each over the one before."""

import os
import tomllib
from pathlib import Path
from typing import Any


class SettingsError(ValueError):
    """A setting is unknown or has a value it cannot have; the message names it."""


def config_file(file: Path | None) -> Path | None:
    """The file of settings: the one that is named, also by VALETKEY_CONFIG; or valetkey.toml, where there is one."""
    named, usual = file or os.environ.get("VALETKEY_CONFIG"), Path("valetkey.toml")
    if named:
        return Path(named)
    return usual if usual.exists() else None


def read_file(file: Path | None) -> dict[str, Any]:
    """The TOML file as a tree; its scopes become records of the catalogue."""
    path = config_file(file)
    if path is None:
        return {}
    try:
        tree = tomllib.loads(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsError(f"cannot read {path}: {error}") from None
    scopes = tree.get("scopes")
    if isinstance(scopes, dict):
        for name, said in scopes.items():
            scopes[name] = {"name": name, **(said if isinstance(said, dict) else {"words": said})}
    return tree


def env_name(name: str) -> str:
    """consent.remember -> VALETKEY_CONSENT_REMEMBER"""
    return "VALETKEY_" + name.replace(".", "_").upper()


def from_text(name: str, text: str, default: Any) -> Any:
    """A value of the environment, of the kind its setting has."""
    if isinstance(default, bool):
        if text.lower() in ("on", "true", "yes", "1"):
            return True
        if text.lower() in ("off", "false", "no", "0"):
            return False
        raise SettingsError(f"{env_name(name)}: say on or off, not {text!r}")
    if isinstance(default, int):
        try:
            return int(text)
        except ValueError:
            raise SettingsError(f"{env_name(name)}: a number, not {text!r}") from None
    if isinstance(default, tuple):
        return [part.strip() for part in text.split(",") if part.strip()]
    return text


def put(tree: dict[str, Any], name: str, value: Any) -> None:
    """Set a dotted name in the tree."""
    section, _, key = name.rpartition(".")
    if section:
        inner = tree.setdefault(section, {})
        if isinstance(inner, dict):  # what is no section is refused with all that is wrong
            inner[key] = value
    else:
        tree[key] = value
