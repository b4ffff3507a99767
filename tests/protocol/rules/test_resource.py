"""Resource indicators: which servers may be named, and that a token is never for more of them (RFC 8707 2; C14)."""

from dataclasses import replace as other_rules

import pytest

from tests.protocol.samples import BOOK, ISSUER, authorization
from valetkey.protocol.errors import InvalidRequest, InvalidTarget
from valetkey.protocol.model import NOBODY, Authorization, Terms
from valetkey.protocol.params import SEVERAL, Params
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.resource import Resource
from valetkey.protocol.rules.resource import LONGEST, MOST, narrowed, others, read
from valetkey.protocol.rules.rulebook import Rulebook

MUST = other_rules(OAUTH21, resources="must")
A, B, C = "https://a.test/api", "https://b.test/", "https://c.test"
LISTED = other_rules(BOOK, resources={A: Resource(A), "urn:b": Resource("urn:b")})


def under(resources: tuple[str, ...], account_id: int = 1) -> Authorization:
    return authorization(account_id=account_id, terms=Terms(resource=resources))


def naming(*resources: str) -> Params:
    return Params([("resource", each) for each in resources], several=SEVERAL)


@pytest.mark.parametrize(
    "uri",
    [
        A,
        "https://a.test",
        "https://a.test/?tenant=1",
        "https://a.test:8443/x",
        "http://127.0.0.1:3000/mcp",
        "http://localhost/",
        "https://[2001:db8::1]/",
        "https://a.test/".ljust(512, "x"),
        ISSUER,
    ],
)
def test_servers_that_can_be_named(uri: str) -> None:
    assert read(naming(uri), OAUTH21, BOOK) == (uri,)


def test_a_host_alone_is_the_same_with_a_slash() -> None:
    """RFC 3986 6.2.3: some MCP clients parse the address that they are told, and write it with one."""
    listed = other_rules(BOOK, resources={uri: Resource(uri) for uri in (A, B, C)})
    for said, meant in ((B, B), (B[:-1], B), (C, C), (C + "/", C), (ISSUER + "/", ISSUER)):
        assert read(naming(said), OAUTH21, listed) == (meant,)
    assert read(naming(C, C + "/"), OAUTH21, listed) == (C,)
    for other in (A + "/", "https://c.test//", "https://c.test/?", "https://c.test/x/", "urn:c/"):
        with pytest.raises(InvalidTarget):
            read(naming(other), OAUTH21, listed)
    both = other_rules(BOOK, resources={uri: Resource(uri) for uri in (C, C + "/")})
    assert [read(naming(uri), OAUTH21, both) for uri in (C, C + "/")] == [(C,), (C + "/",)]


@pytest.mark.parametrize(
    "uri",
    [
        "a.test",
        "/api",
        "http://a.test/",
        "https://a.test/#f",
        "https://a.test/#",
        "https://user@a.test/",
        "https://a_b.test/",
        "https://a.test/ x",
        "https://a.test/\\x",
        "https:a.test",
        "ftp://a.test/",
        "urn:x",
        "https://é.test/",
        "https://a.test/".ljust(513, "x"),
    ],
)
def test_and_that_cannot(uri: str) -> None:
    with pytest.raises(InvalidTarget) as no:
        read(naming(uri), OAUTH21, BOOK)
    assert no.value.code == "invalid_target" and no.value.description.isascii()


def test_several_each_once_in_order() -> None:
    assert read(naming(B, A, B, ""), OAUTH21, BOOK) == (B, A)
    assert len(read(naming(*(f"{A}/{n}" for n in range(MOST))), OAUTH21, BOOK)) == MOST
    with pytest.raises(InvalidTarget, match="more than"):
        read(naming(*(f"{A}/{n}" for n in range(MOST + 1))), OAUTH21, BOOK)
    with pytest.raises(InvalidTarget):
        read(naming(A, "nonsense"), OAUTH21, BOOK)


def test_those_that_the_operator_named_and_our_own() -> None:
    for uri in (A, "urn:b", ISSUER):
        assert read(naming(uri), OAUTH21, LISTED) == (uri,)
    for uri in (B, A + "/", A.upper(), "urn:B"):
        with pytest.raises(InvalidTarget, match="gives no tokens"):
            read(naming(uri), OAUTH21, LISTED)


def test_none_at_all() -> None:
    for nothing in (naming(), naming("")):
        assert read(nothing, OAUTH21, BOOK) == ()
        with pytest.raises(InvalidTarget, match="resource is missing"):
            read(nothing, MUST, BOOK)
    assert read(naming(A), MUST, BOOK) == (A,)


def test_classic_reads_none_and_bears_no_name_twice() -> None:
    assert read(naming("nonsense"), CLASSIC, BOOK) == ()
    with pytest.raises(InvalidRequest, match="the parameter resource is there twice"):
        read(naming(A, B), CLASSIC, BOOK)


# --- at the token endpoint --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("named", "allowed", "found"),
    [
        ((), (), ()),
        ((), (A, B), ()),  # all of it
        ((A,), (A, B), (A,)),
        ((A, B), (A, B), ()),
        ((B, A), (A, B), (B, A)),
        ((ISSUER,), (), (ISSUER,)),  # whoever is asked about no server allows our own API
    ],
)
def test_a_part_of_what_was_allowed(
    named: tuple[str, ...], allowed: tuple[str, ...], found: tuple[str, ...]
) -> None:
    assert narrowed(naming(*named), under(allowed), OAUTH21, BOOK) == found


@pytest.mark.parametrize(
    ("named", "allowed", "book"),
    [
        ((C,), (A, B), BOOK),
        ((A, C), (A, B), BOOK),
        (("nonsense",), (A,), BOOK),
        (("nonsense",), (), BOOK),
        ((A,), (), BOOK),  # the person was asked about no server
        ((A, ISSUER), (), LISTED),
        ((ISSUER,), (A, B), BOOK),
        ((B,), (A, B), LISTED),  # the operator took it from the list since
    ],
)
def test_and_never_more(named: tuple[str, ...], allowed: tuple[str, ...], book: Rulebook) -> None:
    with pytest.raises(InvalidTarget):
        narrowed(naming(*named), under(allowed), OAUTH21, book)


def test_an_app_that_asks_for_itself_names_whom_it_likes() -> None:
    assert narrowed(naming(A, B), under((), NOBODY), OAUTH21, BOOK) == (A, B)
    assert narrowed(naming(A), under((), NOBODY), OAUTH21, LISTED) == (A,)
    with pytest.raises(InvalidTarget):
        narrowed(naming(B), under((), NOBODY), OAUTH21, LISTED)


def test_a_profile_that_wants_one_wants_it_from_who_asks_for_itself() -> None:
    with pytest.raises(InvalidTarget, match="resource is missing"):
        narrowed(naming(), under((), NOBODY), MUST, BOOK)
    assert narrowed(naming(), under((A,)), MUST, BOOK) == ()
    assert narrowed(naming(A), under(()), CLASSIC, BOOK) == ()


def test_people_are_asked_about_servers_of_others() -> None:
    assert others((A, ISSUER, B), BOOK) == (A, B)
    assert others((ISSUER,), BOOK) == ()


def test_a_name_as_long_as_it_may_be() -> None:
    long = "https://a.test/".ljust(LONGEST, "x")
    assert read(naming(long), OAUTH21, BOOK) == (long,)
    with pytest.raises(InvalidTarget):
        read(naming(long + "x"), OAUTH21, BOOK)
