"""The documents keep up with the code: every setting, every command, every file that a page names."""

import re
from pathlib import Path

import click
import pytest

from valetkey.cli.main import cli
from valetkey.settings import settable

ROOT = Path(__file__).parent.parent
DOCUMENTS = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md"), *(ROOT / "bench").glob("*.md")])


@pytest.mark.parametrize("name", sorted(settable()))
def test_every_setting_is_documented(name: str):
    rows = [line for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith("|")]
    assert any(f"`{name}`" in row for row in rows)


def test_no_setting_is_documented_that_is_not_there():
    rows = [line for line in (ROOT / "docs/settings.md").read_text().splitlines() if line.startswith("| `")]
    assert {name for row in rows for name in re.findall(r"`([^`]+)`", row.split("|")[1])} == set(settable())


def commands(group: click.Group, path: str = "") -> list[str]:
    found = []
    for name, command in group.commands.items():
        whole = f"{path} {name}".strip()
        found += commands(command, whole) if isinstance(command, click.Group) else [whole]
    return found


@pytest.mark.parametrize("command", commands(cli))
def test_every_command_is_documented(command: str):
    assert f"`valetkey {command}" in (ROOT / "docs/commands.md").read_text()


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: str(file.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path):
    for target in re.findall(r"\]\((?!https?:)([^)#]+)", document.read_text()):
        assert (document.parent / target).exists(), f"{document.name} leads to {target}"
