"""The metadata document says what the records say: profiles, grants, methods, catalogue."""

from dataclasses import replace

from tests.protocol.samples import BOOK
from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.endpoints import metadata
from valetkey.protocol.endpoints.metadata import About
from valetkey.protocol.grants import GRANTS
from valetkey.protocol.profile import Assertions
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.profiles.oauth20 import JWT_BEARER
from valetkey.protocol.rules import jwt
from valetkey.protocol.rules.certificate import METHODS as BY_CERTIFICATE
from valetkey.protocol.trusted_issuer import TrustedIssuer


def described(*profiles: str, signing: tuple[str, ...] = ("ES256", "RS256")) -> dict[str, object]:
    named = {name: PROFILES[name] for name in profiles} or PROFILES
    return metadata.describe(About(replace(BOOK, profiles=named, by_certificate=BY_CERTIFICATE), signing))


def test_what_it_says():
    told = described()
    assert told["issuer"] == BOOK.issuer
    assert told["token_endpoint"] == f"{BOOK.issuer}/oauth/token"
    assert told["introspection_signing_alg_values_supported"] == ["ES256", "RS256"]
    assert told["device_authorization_endpoint"] == f"{BOOK.issuer}/oauth/device_authorization"
    assert told["code_challenge_methods_supported"] == ["S256"]
    assert told["authorization_response_iss_parameter_supported"] is True
    assert told["scopes_supported"] == list(BOOK.catalogue)


def test_all_that_the_profiles_of_today_know_is_there_and_nothing_else():
    told = described("classic", "oauth20")
    assert told["response_types_supported"] == ["code"]  # classic has an endpoint of its own
    assert set(told["grant_types_supported"]) == (PROFILES["oauth20"].grants & set(GRANTS)) - {JWT_BEARER}
    methods = [name for name in METHODS if name in PROFILES["oauth20"].client_auth]
    assert told["token_endpoint_auth_methods_supported"] == methods
    assert told["revocation_endpoint_auth_methods_supported"] == methods
    assert told["introspection_endpoint_auth_methods_supported"] == [
        name for name in methods if name != "none"
    ]


def test_a_profile_more_is_told_by_itself():
    more = replace(PROFILES["oauth21"], name="more", response_types=frozenset({"code", "token"}))
    told = metadata.describe(About(replace(BOOK, profiles={"more": more})))
    assert told["response_types_supported"] == ["code", "token"]


def test_that_somebody_vouches_is_told_where_anybody_is_believed():
    trusting = replace(BOOK, trusted_issuers=(TrustedIssuer("https://hr.test", jwks="{}"),))
    assert JWT_BEARER in metadata.describe(About(trusting))["grant_types_supported"]
    assert JWT_BEARER not in metadata.describe(About(BOOK))["grant_types_supported"]


def test_how_clients_make_themselves_known():
    assert not {"registration_endpoint", "client_id_metadata_document_supported"} & set(described())
    told = metadata.describe(About(replace(BOOK, registers=True, metadata_documents=True)))
    assert told["registration_endpoint"] == f"{BOOK.issuer}/oauth/register"
    assert told["client_id_metadata_document_supported"] is True


def test_signed_answers_are_told_of_where_there_is_a_key():
    told, silent = described(), described(signing=())
    assert told["response_modes_supported"] == ["query", "query.jwt", "jwt"]
    assert told["authorization_signing_alg_values_supported"] == ["ES256", "RS256"]
    assert silent["response_modes_supported"] == ["query"]
    assert "authorization_signing_alg_values_supported" not in silent


def test_what_there_is_nothing_of_is_left_out():
    assert "introspection_signing_alg_values_supported" not in described(signing=())
    silent = replace(PROFILES["oauth21"], issuer_in_answer=False)
    told = metadata.describe(About(replace(BOOK, profiles={"x": silent})))
    assert told["authorization_response_iss_parameter_supported"] is False


def test_what_assertions_may_be_signed_with():
    """RFC 8414 2: it must be told wherever private_key_jwt or client_secret_jwt is."""
    plain = PROFILES["oauth21"]
    strict = replace(
        plain,
        client_auth=frozenset({"private_key_jwt"}),
        assertions=Assertions(300, frozenset({"PS256", "ES256"}), issuer_only=True),
    )
    for profile, expected in (
        (plain, ["ES256", "Ed25519", "EdDSA", "PS256", "RS256", "HS256"]),
        (strict, ["ES256", "PS256"]),
    ):
        told = metadata.describe(About(replace(BOOK, profiles={"x": profile})))
        for endpoint in ("token", "introspection", "revocation"):
            assert told[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == expected


def test_what_clients_may_sign_with():
    strong = sorted(jwt.SIGNED)
    told = described("oauth21")
    for what in ("request_object", "dpop"):
        assert told[f"{what}_signing_alg_values_supported"] == strong
    for endpoint in ("token", "introspection", "revocation"):
        assert told[f"{endpoint}_endpoint_auth_signing_alg_values_supported"] == [*strong, "HS256"]
    keys_only = replace(PROFILES["oauth21"], client_auth=frozenset({"private_key_jwt"}))
    told = metadata.describe(About(replace(BOOK, profiles={"x": keys_only})))
    assert told["token_endpoint_auth_signing_alg_values_supported"] == strong


def test_certificates_are_told_of_where_they_arrive():
    every = described("fapi2")
    assert every["tls_client_certificate_bound_access_tokens"] is True
    assert set(every["token_endpoint_auth_methods_supported"]) == PROFILES["fapi2"].client_auth
    for seen in (frozenset(), frozenset({"self_signed_tls_client_auth"})):
        book = replace(BOOK, profiles={"fapi2": PROFILES["fapi2"]}, by_certificate=seen)
        told = metadata.describe(About(book))
        assert told.get("tls_client_certificate_bound_access_tokens") == (True if seen else None)
        for endpoint in ("token", "introspection", "revocation"):
            methods = told[f"{endpoint}_endpoint_auth_methods_supported"]
            assert set(methods) == {"private_key_jwt", *seen}


def test_where_clients_with_certificates_go():
    """RFC 8705 5: a host of its own, where they are asked for one; nowhere, where none arrives."""
    heard = replace(BOOK, by_certificate=BY_CERTIFICATE)
    elsewhere = replace(heard, certificate_url="https://mtls.id.test/one")
    aliases = metadata.describe(About(elsewhere))["mtls_endpoint_aliases"]
    assert aliases == {
        f"{name}_endpoint": f"https://mtls.id.test/one/oauth/{path}"
        for name, path in (
            ("token", "token"),
            ("device_authorization", "device_authorization"),
            ("pushed_authorization_request", "par"),
            ("introspection", "introspect"),
            ("revocation", "revoke"),
        )
    }
    for book in (heard, replace(elsewhere, by_certificate=frozenset())):
        assert "mtls_endpoint_aliases" not in metadata.describe(About(book))
