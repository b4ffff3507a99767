"""What a server that takes tokens says of itself (RFC 9728)."""

import pytest

from valetkey.resource import Resource


@pytest.mark.parametrize(
    ("uri", "url"),
    [
        ("https://notes.test", "https://notes.test/.well-known/oauth-protected-resource"),
        ("https://notes.test/", "https://notes.test/.well-known/oauth-protected-resource"),
        ("https://notes.test/mcp", "https://notes.test/.well-known/oauth-protected-resource/mcp"),
        (
            "https://notes.test:8443/a/mcp",
            "https://notes.test:8443/.well-known/oauth-protected-resource/a/mcp",
        ),
        ("https://notes.test/mcp?a=b", "https://notes.test/.well-known/oauth-protected-resource/mcp?a=b"),
    ],
)
def test_where_it_stands(uri: str, url: str) -> None:
    """RFC 9728 3.1."""
    resource = Resource(uri, "https://id.test")
    assert resource.metadata_url == url
    assert resource.metadata_path == url.split("test")[1].removeprefix(":8443").split("?")[0]


def test_the_document() -> None:
    plain = Resource("https://notes.test/mcp", "https://id.test")
    assert plain.metadata() == {
        "resource": "https://notes.test/mcp",
        "authorization_servers": ["https://id.test"],
        "bearer_methods_supported": ["header"],
    }
    full = Resource("https://notes.test/mcp", "https://id.test", ("basic", "likes"), "Notes").metadata()
    assert (full["scopes_supported"], full["resource_name"]) == (["basic", "likes"], "Notes")


def test_the_challenge() -> None:
    resource = Resource("https://notes.test/mcp", "https://id.test")
    where = 'resource_metadata="https://notes.test/.well-known/oauth-protected-resource/mcp"'
    assert resource.challenge() == f"Bearer {where}"
    assert resource.challenge(scopes=("basic", "likes")) == f'Bearer {where}, scope="basic likes"'
    full = resource.challenge("insufficient_scope", "this needs likes", ("likes",))
    assert (
        full
        == f'Bearer {where}, error="insufficient_scope", error_description="this needs likes", scope="likes"'
    )
