"""conformance/modules.md and these tests say the same: every module that is run against us has a test of its name."""

import ast
import re
from pathlib import Path

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "conformance/modules.md"
PREFIX = "test_fapi2_security_profile_final_"


def rows() -> dict[str, str]:
    """Module -> the plans that have it, `-` for none of ours."""
    return dict(re.findall(r"^\| `([\w.-]+)` \| ([A-Z -]+) \|", PAGE.read_text(), re.MULTILINE))


def named() -> set[str]:
    """The names of all tests here."""
    return {
        node.name
        for file in HERE.glob("test_*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


def name_of_test(module: str) -> str:
    return PREFIX + re.sub(r"\W", "_", module)


def test_every_module_has_its_test() -> None:
    modules = rows()
    assert len(modules) > 60
    ours = {name_of_test(module) for module, plans in modules.items() if plans != "-"}
    assert ours - named() == set()


def test_every_test_of_a_module_is_on_the_page() -> None:
    assert {test for test in named() if test.startswith(PREFIX)} - {
        name_of_test(module) for module in rows()
    } == set()
