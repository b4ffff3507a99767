"""May a client register this? (RFC 7591 2)"""

import msgspec
import pytest

from tests.signing import Signer
from valetkey.protocol.errors import InvalidClientMetadata
from valetkey.protocol.model import Registration
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.oauth21 import OAUTH21
from valetkey.protocol.rules.certificate import METHODS
from valetkey.protocol.rules.registrable import plain, problems, refusal, why_not_url

GOOD = msgspec.json.encode({"keys": [Signer("ES256", kid="a").jwk]}).decode()
LINK = "https://app.test/jwks"
SIGNING = frozenset({"ES256", "PS256"})


def by_secret(algorithm: str) -> Registration:
    return Registration(
        token_endpoint_auth_method="client_secret_jwt", token_endpoint_auth_signing_alg=algorithm
    )


@pytest.mark.parametrize(
    ("kind", "registered"),
    [
        ("web", Registration()),
        ("service", Registration(("client_credentials",), "client_secret_post")),
        ("spa", Registration(("authorization_code",), "none")),
        ("native", Registration(("authorization_code",))),
        ("web", Registration(token_endpoint_auth_method="private_key_jwt", jwks=GOOD)),
        ("web", Registration(token_endpoint_auth_method="private_key_jwt", jwks_uri=LINK)),
        ("web", Registration(logo_uri="https://app.test/logo.png")),
        (
            "web",
            Registration(token_endpoint_auth_method="tls_client_auth", tls_client_auth_san_dns="app.test"),
        ),
        ("web", by_secret("HS256")),
        ("web", Registration(token_endpoint_auth_signing_alg="RS256", request_object_signing_alg="ES256")),
        ("web", Registration(require_signed_request_object=True, jwks=GOOD)),
        ("web", Registration(require_signed_request_object=True, jwks_uri=LINK)),
        ("web", Registration(scope=("basic", "likes"), optional_scope=("likes",))),
        ("web", Registration(optional_scope=("likes",))),
        ("web", Registration(access_token_format="jwt", dpop_bound_access_tokens=True)),
        ("web", Registration(require_pushed_authorization_requests=True, request_object_signing_alg="RS256")),
        (
            "web",
            Registration(
                introspection_signed_response_alg="ES256", authorization_signed_response_alg="PS256"
            ),
        ),
    ],
)
def test_what_may_be_registered(kind: str, registered: Registration) -> None:
    assert not any(problems(kind, registered, OAUTH21, SIGNING, METHODS).values())


@pytest.mark.parametrize(
    ("kind", "registered", "name"),
    [
        ("web", Registration(("password",)), "grant_types"),
        ("spa", Registration(("authorization_code", "client_credentials")), "grant_types"),
        ("web", Registration(token_endpoint_auth_method="none"), "token_endpoint_auth_method"),
        ("spa", Registration(token_endpoint_auth_method="client_secret_basic"), "token_endpoint_auth_method"),
        ("web", Registration(token_endpoint_auth_method="magic"), "token_endpoint_auth_method"),
        ("web", Registration(token_endpoint_auth_method="private_key_jwt"), "jwks"),
        ("web", Registration(jwks=GOOD, jwks_uri=LINK), "jwks"),
        ("web", Registration(jwks="{}"), "jwks"),
        ("web", Registration(jwks_uri="http://app.test/jwks"), "jwks_uri"),
        ("web", Registration(logo_uri="javascript:x"), "logo_uri"),
        ("web", Registration(token_endpoint_auth_method="tls_client_auth"), "token_endpoint_auth_method"),
        ("web", by_secret("ES256"), "token_endpoint_auth_signing_alg"),
        ("web", Registration(token_endpoint_auth_signing_alg="HS256"), "token_endpoint_auth_signing_alg"),
        ("web", Registration(token_endpoint_auth_signing_alg="none"), "token_endpoint_auth_signing_alg"),
        ("web", Registration(request_object_signing_alg="none"), "request_object_signing_alg"),
        ("web", Registration(request_object_signing_alg="HS256"), "request_object_signing_alg"),
        ("web", Registration(require_signed_request_object=True), "jwks"),
        ("web", Registration(introspection_signed_response_alg="RS256"), "introspection_signed_response_alg"),
        ("web", Registration(authorization_signed_response_alg="EdDSA"), "authorization_signed_response_alg"),
        ("web", Registration(access_token_format="xml"), "access_token_format"),
    ],
)
def test_what_may_not(kind: str, registered: Registration, name: str) -> None:
    found = {
        field: words
        for field, words in problems(kind, registered, OAUTH21, SIGNING, METHODS).items()
        if words
    }
    assert set(found) == {name}


def test_a_profile_has_algorithms_of_its_own() -> None:
    found = problems("web", Registration(request_object_signing_alg="RS384"), OAUTH21, SIGNING, METHODS)
    assert found["request_object_signing_alg"] == "must be one of ES256, Ed25519, EdDSA, PS256, RS256"
    found = problems("web", Registration(request_object_signing_alg="RS256"), CLASSIC, SIGNING, METHODS)
    assert found["request_object_signing_alg"] == "is nothing that this profile knows"


def test_what_is_optional_is_part_of_what_is_asked_for() -> None:
    registered = Registration(scope=("basic",), optional_scope=("likes", "basic"))
    found = {
        name: words for name, words in problems("web", registered, OAUTH21, SIGNING, METHODS).items() if words
    }
    assert found == {"optional_scope": "has likes, which scope does not name"}


@pytest.mark.parametrize(
    ("registered", "words"),
    [
        (Registration(require_signed_request_object=True), "or jwks_uri is needed to sign requests"),
        (
            Registration(token_endpoint_auth_method="private_key_jwt"),
            "or jwks_uri is needed to prove who the client is",
        ),
    ],
)
def test_keys_are_needed_for_something(registered: Registration, words: str) -> None:
    assert problems("web", registered, OAUTH21, SIGNING, METHODS)["jwks"] == words


@pytest.mark.parametrize(
    "name",
    [
        "dpop_bound_access_tokens",
        "tls_client_certificate_bound_access_tokens",
        "require_pushed_authorization_requests",
        "require_signed_request_object",
        "optional_scope",
    ],
)
def test_what_a_profile_does_not_know_is_not_promised(name: str) -> None:
    value = ("likes",) if name == "optional_scope" else True
    found = problems(
        "web", msgspec.structs.replace(Registration(), **{name: value}), CLASSIC, SIGNING, METHODS
    )
    assert found[name] == "is nothing that this profile knows"
    assert not any(problems("web", Registration(), CLASSIC, SIGNING, METHODS).values())


@pytest.mark.parametrize(
    ("method", "heard", "may"),
    [
        ("tls_client_auth", (), False),
        ("self_signed_tls_client_auth", (), False),
        ("tls_client_auth", ("self_signed_tls_client_auth",), False),  # nobody says whom they verified
        ("self_signed_tls_client_auth", ("self_signed_tls_client_auth",), True),
        ("tls_client_auth", METHODS, True),
    ],
)
def test_certificates_may_be_registered_where_they_arrive(
    method: str, heard: tuple[str, ...], may: bool
) -> None:
    said = Registration(token_endpoint_auth_method=method, tls_client_auth_san_dns="app.test", jwks=GOOD)
    found = problems("web", said, OAUTH21, SIGNING, frozenset(heard))
    assert [name for name, words in found.items() if words] == ([] if may else ["token_endpoint_auth_method"])


def test_nor_are_tokens_bound_to_what_never_arrives() -> None:
    bound = Registration(tls_client_certificate_bound_access_tokens=True)
    for heard in (frozenset[str](), METHODS):
        found = problems("web", bound, OAUTH21, SIGNING, heard)
        wrong = {name: words for name, words in found.items() if words}
        assert set(wrong) == (set() if heard else {"tls_client_certificate_bound_access_tokens"})
        assert heard or isinstance(refusal({k: v for k, v in wrong.items() if v}), InvalidClientMetadata)


@pytest.mark.parametrize(
    ("kind", "method", "words"),
    [
        ("spa", "client_secret_post", "must be none, since this type of app keeps no secret"),
        ("web", "none", "must not be none here"),
        ("web", "magic", "must be one of " + ", ".join(sorted(OAUTH21.client_auth))),
    ],
)
def test_what_is_said_of_a_method(kind: str, method: str, words: str) -> None:
    registered = Registration(token_endpoint_auth_method=method)
    assert problems(kind, registered, OAUTH21, SIGNING, METHODS)["token_endpoint_auth_method"] == words


def test_a_profile_has_methods_of_its_own() -> None:
    registered = Registration(token_endpoint_auth_method="client_secret_basic")
    found = problems("web", registered, CLASSIC, SIGNING, METHODS)["token_endpoint_auth_method"]
    assert found == "must be one of client_secret_post"


@pytest.mark.parametrize(
    ("url", "wrong"),
    [
        ("", False),
        ("https://app.test", False),
        ("https://app.test:8443/a?b=c", False),
        ("http://127.0.0.1/a", True),
        ("https://user@app.test/", True),
        ("https://app.test/../x", True),
        ("https://app.test/#f", True),
        ("https://app.test/" + "a" * 484, True),
        ("https://app.test/" + "a" * 483, False),
    ],
)
def test_addresses(url: str, wrong: bool) -> None:
    assert (why_not_url(url) is not None) is wrong


@pytest.mark.parametrize(
    ("wrong", "code", "words"),
    [
        ({"name": "is empty"}, "invalid_client_metadata", "client_name is empty"),
        ({"jwks": "has no keys"}, "invalid_client_metadata", "jwks has no keys"),
        ({"name": "x", "redirect_uris": "are missing"}, "invalid_redirect_uri", "redirect_uris are missing"),
    ],
)
def test_what_is_wrong_in_the_words_of_the_standard(wrong: dict[str, str], code: str, words: str) -> None:
    error = refusal(wrong)
    assert (error.code, error.description) == (code, words)


def test_what_can_be_left_out_is_part_of_what_is_asked_for() -> None:
    said = Registration(scope=("basic",), optional_scope=("basic", "likes", "comments"))
    assert (
        problems("web", said, OAUTH21, SIGNING, METHODS)["optional_scope"]
        == "has likes, which scope does not name"
    )
    for fine in (("basic",), ()):
        said = Registration(scope=("basic",), optional_scope=fine)
        assert problems("web", said, OAUTH21, SIGNING, METHODS)["optional_scope"] is None
    assert (
        problems("web", Registration(optional_scope=("x",)), OAUTH21, SIGNING, METHODS)["optional_scope"]
        is None
    )


def test_the_form_of_tokens() -> None:
    for form, words in (("", None), ("jwt", None), ("xml", "must be jwt or empty")):
        said = Registration(access_token_format=form)
        assert problems("web", said, OAUTH21, SIGNING, METHODS)["access_token_format"] == words


def test_words_that_an_error_may_hold() -> None:
    assert plain("X ~") == "X ~"
    assert plain('it\'s "q" \\ é\n') == "it's ?q? ? ??"


def test_a_method_that_does_not_go_with_the_type() -> None:
    """Told which it may be, and why."""

    def said(kind: str, method: str) -> str | None:
        return problems(kind, Registration(token_endpoint_auth_method=method), OAUTH21, SIGNING, METHODS)[
            "token_endpoint_auth_method"
        ]

    assert said("web", "magic") == "must be one of " + ", ".join(sorted(OAUTH21.client_auth))
    assert said("spa", "client_secret_basic") == "must be none, since this type of app keeps no secret"
    assert said("web", "none") == "must not be none here"
    assert plain('it\'s "q" \\ é\n~X') == "it's ?q? ? ??~X"
