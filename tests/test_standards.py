"""docs/standards.md keeps up: with the standards' tables of contents, with the files, with what the code registers."""

import inspect
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pytest

from tests.rfc_sections import SECTIONS
from valetkey.protocol import errors
from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.endpoints.metadata import MEMBERS
from valetkey.protocol.errors import OAuthError
from valetkey.protocol.grants import GRANTS
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.response_types import RESPONSE_TYPES
from valetkey.protocol.rules.response_mode import MODES
from valetkey.server.authorization_server import assemble
from valetkey.settings import Settings
from valetkey.web.app import protocol_paths

ROOT = Path(__file__).parent.parent
PAGE = (ROOT / "docs/standards.md").read_text()
NOT_OURS = "not ours: "
CODES = {
    kind.code
    for _, kind in inspect.getmembers(errors, inspect.isclass)
    if issubclass(kind, OAuthError) and kind is not OAuthError
}


@dataclass(frozen=True)
class Row:
    """What is said of some sections of a standard."""

    standard: str
    section: str
    what: str
    file: str
    test: str

    def __str__(self) -> str:
        return f"{self.standard} {self.section}"

    @property
    def sections(self) -> list[str]:
        return self.section.split(", ")


@cache
def rows() -> list[Row]:
    """Every row of every table, in order."""
    found = []
    for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]:
        title, *lines = part.splitlines()
        table = [line for line in lines if line.startswith("|")]
        assert table[:2] == ["| section | what | file | test |", "|---|---|---|---|"], title
        for line in table[2:]:
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            assert len(cells) == 4, f"{title}: {line}"
            found.append(Row(title.partition(":")[0], *cells))
    return found


def names(cell: str) -> list[str]:
    """What stands in code marks, commas between."""
    assert re.fullmatch(r"`[^`]+`(, `[^`]+`)*", cell), cell
    return re.findall(r"`([^`]+)`", cell)


def test_every_row_stands_under_a_standard() -> None:
    before, _, _ = PAGE.partition("\n## ")
    assert "|" not in before, "a row above the first heading: give it a place under its standard"
    assert len(rows()) > 200


@pytest.mark.parametrize("row", [row for row in rows() if not row.file.startswith(NOT_OURS)], ids=str)
def test_files_and_tests_are_there(row: Row) -> None:
    for file in names(row.file):
        assert (ROOT / "src/valetkey" / file).is_file(), file
    for test in names(row.test):
        file, _, function = test.partition("::")
        assert re.search(rf"^(async )?def {function}\(", (ROOT / file).read_text(), re.MULTILINE), test


@pytest.mark.parametrize("row", [row for row in rows() if row.file.startswith(NOT_OURS)], ids=str)
def test_what_is_not_ours_says_why(row: Row) -> None:
    assert len(row.file) > len(NOT_OURS) + 10 and row.test == ""


@pytest.mark.parametrize("standard", SECTIONS)
def test_every_section_is_covered_once_or_more(standard: str) -> None:
    contents = SECTIONS[standard].split()
    said = [section for row in rows() if row.standard == standard for section in row.sections]
    assert set(contents) - set(said) == set(), "sections that no row names"
    assert set(said) - set(contents) == set(), "sections that the standard does not have"


@pytest.mark.parametrize(
    "name",
    sorted({*GRANTS, *METHODS, *RESPONSE_TYPES, *MODES, *CODES, *MEMBERS, *(p for p in PROFILES)}),
)
def test_what_the_code_registers_is_named(name: str) -> None:
    assert f"`{name}`" in PAGE


def test_every_endpoint_is_named() -> None:
    paths = {path.rstrip("/") for path in protocol_paths(assemble(Settings(database="memory://")))}
    assert {path for path in paths if f"`{path}`" not in PAGE} == set()
