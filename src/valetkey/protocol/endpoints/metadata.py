"""What this server can, for clients that set themselves up (RFC 8414 2). A line each; what is empty is left out."""

from collections.abc import Callable, Iterable

from msgspec import Struct

from valetkey.protocol.client_auth import METHODS
from valetkey.protocol.grants import GRANTS
from valetkey.protocol.grants.jwt_bearer import JWT_BEARER
from valetkey.protocol.profile import Profile
from valetkey.protocol.response_types import RESPONSE_TYPES
from valetkey.protocol.rules import certificate, jwt
from valetkey.protocol.rules.response_mode import MODES
from valetkey.protocol.rules.rulebook import Rulebook

TOKEN, AUTHORIZE, JWKS = "/oauth/token", "/oauth/authorize", "/oauth/jwks"
INTROSPECT, REVOKE, PAR = "/oauth/introspect", "/oauth/revoke", "/oauth/par"
DEVICE_AUTHORIZATION = "/oauth/device_authorization"
REGISTER = "/oauth/register"
WITH_CERTIFICATE = {
    "token_endpoint": TOKEN,
    "device_authorization_endpoint": DEVICE_AUTHORIZATION,
    "pushed_authorization_request_endpoint": PAR,
    "introspection_endpoint": INTROSPECT,
    "revocation_endpoint": REVOKE,
}


class About(Struct, frozen=True):
    """What the members are made of: the rules, and what the server signs with if it can."""

    book: Rulebook
    signing: tuple[str, ...] = ()

    @property
    def profiles(self) -> list[Profile]:
        """Those whose clients come to the token endpoint that is named here; `classic` has its own (classic.md 3)."""
        return [profile for profile in self.book.profiles.values() if profile.token_path == TOKEN]

    def at(self, path: str) -> str:
        """The address of an endpoint."""
        return self.book.issuer + path

    def allowed(self, known: Iterable[str], field: Callable[[Profile], frozenset[str]]) -> list[str]:
        """Those of the names that any of the profiles has."""
        had = frozenset[str]().union(*map(field, self.profiles))
        return [name for name in known if name in had]

    def grants(self) -> list[str]:
        """How tokens can be had; by the word of somebody else where anybody's is taken (RFC 7523)."""
        without = "" if self.book.trusted_issuers else JWT_BEARER.name
        return [name for name in self.allowed(GRANTS, lambda profile: profile.grants) if name != without]

    def methods(self, *without: str) -> list[str]:
        """The ways in which clients prove who they are."""
        known = self.allowed(METHODS, lambda profile: profile.client_auth)
        unheard = certificate.METHODS - self.book.by_certificate
        return [name for name in known if name not in {*without, *unheard}]

    def aliases(self) -> dict[str, str] | None:
        """Where clients go that show a certificate (RFC 8705 5), if that is another host."""
        book = self.book
        if not (book.certificate_url and book.by_certificate):
            return None
        return {name: book.certificate_url + path for name, path in WITH_CERTIFICATE.items()}

    def signatures(self) -> list[str]:
        """What they may sign with."""
        return self.allowed(sorted(jwt.SIGNED), lambda profile: profile.assertions.algorithms)

    def algorithms(self) -> list[str]:
        """What their assertions may be signed with; RFC 8414 2 wants it said beside the two methods that have any."""
        return [*self.signatures(), *["HS256"] * ("client_secret_jwt" in self.methods())]


MEMBERS: dict[str, Callable[[About], object]] = {
    "issuer": lambda about: about.book.issuer,
    "authorization_endpoint": lambda about: about.at(AUTHORIZE),
    "token_endpoint": lambda about: about.at(TOKEN),
    "device_authorization_endpoint": lambda about: about.at(DEVICE_AUTHORIZATION),
    "jwks_uri": lambda about: about.at(JWKS),
    "scopes_supported": lambda about: list(about.book.catalogue),
    "response_types_supported": lambda about: about.allowed(
        RESPONSE_TYPES, lambda profile: profile.response_types
    ),
    "response_modes_supported": lambda about: about.allowed(
        MODES if about.signing else MODES[:1], lambda profile: profile.response_modes
    ),
    "authorization_signing_alg_values_supported": lambda about: list(about.signing),
    "grant_types_supported": lambda about: about.grants(),
    "token_endpoint_auth_methods_supported": lambda about: about.methods(),
    "token_endpoint_auth_signing_alg_values_supported": lambda about: about.algorithms(),
    "pushed_authorization_request_endpoint": lambda about: about.at(PAR),
    "require_pushed_authorization_requests": lambda about: all(
        profile.pushing == "must" for profile in about.profiles
    ),
    "introspection_endpoint": lambda about: about.at(INTROSPECT),
    "introspection_endpoint_auth_methods_supported": lambda about: about.methods("none"),
    "introspection_endpoint_auth_signing_alg_values_supported": lambda about: about.algorithms(),
    "introspection_signing_alg_values_supported": lambda about: list(about.signing),
    "revocation_endpoint": lambda about: about.at(REVOKE),
    "revocation_endpoint_auth_methods_supported": lambda about: about.methods(),
    "revocation_endpoint_auth_signing_alg_values_supported": lambda about: about.algorithms(),
    "request_object_signing_alg_values_supported": lambda about: about.signatures(),
    "dpop_signing_alg_values_supported": lambda about: about.signatures(),
    "tls_client_certificate_bound_access_tokens": lambda about: bool(about.book.by_certificate) or None,
    "mtls_endpoint_aliases": lambda about: about.aliases(),
    "authorization_details_types_supported": lambda about: list(about.book.details),
    "acr_values_supported": lambda about: list(about.book.acr),
    "prompt_values_supported": lambda about: ["none", "login", "consent", "select_account"],
    "code_challenge_methods_supported": lambda about: ["S256"],
    "registration_endpoint": lambda about: about.at(REGISTER) if about.book.registers else None,
    "client_id_metadata_document_supported": lambda about: about.book.metadata_documents or None,
    "authorization_response_iss_parameter_supported": lambda about: all(
        profile.issuer_in_answer for profile in about.profiles
    ),
}


def describe(about: About) -> dict[str, object]:
    """The document."""
    found = {name: member(about) for name, member in MEMBERS.items()}
    return {name: value for name, value in found.items() if value not in ([], None)}
