"""Scope: names separated by spaces, each of the catalogue, each once (RFC 6749 3.3; D6)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocol.samples import CATALOGUE, client
from valetkey.protocol.errors import InvalidScope
from valetkey.protocol.model import NOBODY, Registration, Scope
from valetkey.protocol.rules.scope import MOST, ascii_words, check_registered, read, remaining, widened

BASIC = ("basic",)


@pytest.mark.parametrize(
    ("asked", "always", "scope"),
    [
        (None, BASIC, ("basic",)),  # D6: optional, default basic
        ("", BASIC, ("basic",)),
        ("basic", BASIC, ("basic",)),
        ("likes", BASIC, ("basic", "likes")),
        ("likes comments", BASIC, ("basic", "likes", "comments")),
        ("comments likes", BASIC, ("basic", "comments", "likes")),
        ("likes basic", BASIC, ("basic", "likes")),
        ("  likes   likes ", BASIC, ("basic", "likes")),
        (None, (), BASIC),  # RFC 6749 3.3: a default, or a refusal
        ("", (), BASIC),
        ("likes", (), ("likes",)),
        ("likes basic likes", (), ("likes", "basic")),
    ],
)
def test_what_is_asked_for(asked: str | None, always: tuple[str, ...], scope: tuple[str, ...]) -> None:
    assert read(asked, always, CATALOGUE) == scope


@pytest.mark.parametrize(
    ("asked", "shown"),
    [
        ("nope", "nope"),
        ("likes nope", "nope"),
        ("nope wrong", "nope, wrong"),
        ("nope nope", "nope"),
        ("Likes", "Likes"),
        ("likes,comments", "likes,comments"),
        ("likes+comments", "likes+comments"),
        ("likes\tcomments", "likes?comments"),
        ("likes\n", "likes?"),
        ("<b>\"'&\\", "?b?????"),
        ("!~", "!~"),
        ("a\x7f", "a?"),
        ("é", "?"),
        ("a" * 65, "a" * 64),
    ],
)
def test_what_the_catalogue_does_not_have_is_refused(asked: str, shown: str) -> None:
    with pytest.raises(InvalidScope) as caught:
        read(asked, BASIC, CATALOGUE)
    assert (caught.value.code, caught.value.reason) == ("invalid_scope", "scope_unknown")
    assert (caught.value.subject, caught.value.description) == (shown, f"unknown scope: {shown}")


def test_how_many_may_be_asked_for() -> None:
    catalogue = {f"s{n}": Scope(f"s{n}", "") for n in range(MOST + 1)}
    assert len(read(" ".join(f"s{n}" for n in range(MOST)), (), catalogue)) == MOST
    with pytest.raises(InvalidScope, match="more than 64 scopes") as caught:
        read(" ".join(catalogue), (), catalogue)
    assert (caught.value.reason, caught.value.subject) == ("scopes_many", "too many")


@given(st.text("abc likesbasic\t", max_size=40), st.sampled_from([(), BASIC]))
def test_what_is_read_is_known_once_and_asked_for(asked: str, always: tuple[str, ...]) -> None:
    names = set(asked.split(" ")) - {""}
    try:
        scope = read(asked, always, CATALOGUE)
    except InvalidScope:
        assert names - set(CATALOGUE)
        return
    assert set(scope) == (names | set(always) or set(BASIC))
    assert len(scope) == len(set(scope))
    assert set(scope) <= set(CATALOGUE)


@pytest.mark.parametrize(
    ("asked", "allowed", "new"),
    [
        ((), (), ()),
        (("a",), (), ("a",)),
        (("a",), ("a",), ()),
        (("a", "b", "c"), ("b",), ("a", "c")),
        (("b",), ("a", "b"), ()),
    ],
)
def test_what_is_new(asked: tuple[str, ...], allowed: tuple[str, ...], new: tuple[str, ...]) -> None:
    assert widened(asked, allowed) == new


@given(st.text(max_size=100))
def test_a_name_is_shown_short_and_plain(name: str) -> None:
    shown = ascii_words(name)
    assert len(shown) == min(64, len(name))
    assert shown.isascii() and shown.isprintable()
    assert not set(shown) & set("\"\\'<>& ")


def test_capitals_are_shown_as_they_are() -> None:
    assert ascii_words("aXX'b") == "aXX?b"


def test_what_was_not_registered_is_named() -> None:
    app = client(registered=Registration(scope=("basic",)))
    with pytest.raises(InvalidScope) as caught:
        check_registered(("basic", "likes", "comments"), app)
    assert caught.value.reason == "scope_unregistered" and caught.value.subject == "likes, comments"
    assert caught.value.description.endswith(": likes, comments")


@pytest.mark.parametrize(
    ("owner", "registered", "left"),
    [
        (9, (), ("basic", "likes")),
        (9, ("basic",), ("basic",)),
        (NOBODY, ("basic",), ("basic", "likes")),  # said of itself: MCP clients step up beyond it
    ],
)
def test_what_a_client_is_held_to(owner: int, registered: tuple[str, ...], left: tuple[str, ...]) -> None:
    app = client(owner_id=owner, registered=Registration(scope=registered))
    assert remaining(("basic", "likes", "gone"), app, CATALOGUE) == left
    check_registered(left, app)
