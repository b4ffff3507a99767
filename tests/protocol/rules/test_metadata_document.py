"""A client known by the address of what describes it."""

import json
from typing import Any

import pytest

from valetkey.protocol.errors import InvalidClientMetadata, OAuthError
from valetkey.protocol.profiles.mcp import MCP
from valetkey.protocol.rules.metadata_document import host_allowed, is_address, read, why_not_address

ADDRESS = "https://agent.test/oauth/client.json"
MOST = "https://agent.test/" + "a" * 481
SCOPES = frozenset({"basic"})


def test_what_is_an_address() -> None:
    assert is_address(ADDRESS) and is_address("https://")
    assert not any(map(is_address, ("", "http://agent.test/a", "HTTPS://agent.test/a", "app")))


@pytest.mark.parametrize(
    "address",
    [
        ADDRESS,
        "https://agent.test:1024/a",
        "https://agent.test:65535/a",
        "https://agent.test/a?b=c",
        MOST,
        "https://192.0.2.7/a/",
    ],
)
def test_addresses_that_can_be(address: str) -> None:
    assert why_not_address(address) is None


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://agent.test", "no path"),
        ("https://agent.test/", "no path"),
        ("https://agent.test/#a", "is not an https address"),
        ("https://user@agent.test/a", "is not an https address"),
        ("https://agent.test/a\\b", "is not an https address"),
        ("https://Agent.test/a", "reads alike"),
        ("https://agent..test/a", "reads alike"),
        ("https://agent.test/a/../b", "reads alike"),
        ("https://agent.test:443/a", "not fetched from"),
        ("https://agent.test:1023/a", "not fetched from"),
        ("https://agent.test:65536/a", "not fetched from"),
        ("http://agent.test/a", "is not an https address"),
        ("https://agent.test/" + "a" * 482, "longer than 500"),
    ],
)
def test_addresses_that_cannot(address: str, words: str) -> None:
    assert words in (why_not_address(address) or "")


@pytest.mark.parametrize(
    ("allow", "deny", "fine"),
    [
        ((), (), True),
        (("agent.test",), (), True),
        (("*.test",), (), True),
        (("*.agent.test",), (), False),
        (("test",), (), False),
        (("gent.test",), (), False),
        ((), ("Agent.test",), False),
        (("agent.test",), ("*.test",), False),
    ],
)
def test_hosts(allow: tuple[str, ...], deny: tuple[str, ...], fine: bool) -> None:
    assert host_allowed(ADDRESS, allow, deny) is fine


def body(**more: Any) -> bytes:
    return json.dumps({"client_id": ADDRESS, "redirect_uris": ["https://agent.test/cb"]} | more).encode()


@pytest.mark.parametrize(
    ("more", "method"),
    [
        ({}, "none"),
        ({"token_endpoint_auth_method": None}, "none"),
        ({"token_endpoint_auth_method": "none"}, "none"),
        ({"token_endpoint_auth_method": "private_key_jwt"}, "private_key_jwt"),
    ],
)
def test_a_document(more: dict[str, Any], method: str) -> None:
    found = read(body(**more), ADDRESS, MCP, SCOPES)
    assert found.registered.token_endpoint_auth_method == method
    assert found.redirect_uris == ("https://agent.test/cb",)
    assert read(body(scope="basic fly"), ADDRESS, MCP, SCOPES).registered.scope == ("basic",)


@pytest.mark.parametrize(
    "more",
    [
        {"client_id": ADDRESS + "/"},
        {"client_id": None},
        {"token_endpoint_auth_method": "client_secret_post"},
        {"token_endpoint_auth_method": "tls_client_auth"},
        {"client_secret": ""},
    ],
)
def test_what_no_document_says(more: dict[str, Any]) -> None:
    with pytest.raises(InvalidClientMetadata) as refused:
        read(body(**more), ADDRESS, MCP, SCOPES)
    assert refused.value.reason == "document_bad"


def test_what_is_no_document() -> None:
    for text in (b"", b"[]", body()[:-1], body().replace(b"{", b'{"client_id":"x",', 1)):
        with pytest.raises(OAuthError):
            read(text, ADDRESS, MCP, SCOPES)
