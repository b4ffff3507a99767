"""The suite's configuration: a server, two clients with their keys, and what its browser does on our pages."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_der_private_key

from valetkey.server.key_pairs import number

SCOPE = "basic"
DETAILS = [{"type": "account_information", "actions": ["list_accounts", "read_balances"]}]
RESOURCE = "/v1/users/self"
SECOND_QUERY = "?dummy1=lorem&dummy2=ipsum"  # what the suite puts behind the second client's redirect URI
MODULE = "fapi2-security-profile-final-"
VARIANT = (
    "[openid=plain_oauth][client_auth_type=private_key_jwt][sender_constrain=dpop][fapi_profile=plain_fapi]"
    "[authorization_request_type={details}]"
)
SIGNED = "[fapi_request_method=signed_non_repudiation][fapi_response_mode={mode}]"
Jwk = dict[str, str]
Command = list[object]


@dataclass(frozen=True)
class Person:
    """An account that the suite's browser logs in to."""

    username: str
    password: str


@dataclass(frozen=True)
class Place:
    """Where the server and the suite are, who logs in and says yes, and who says no and was never asked before."""

    issuer: str
    suite: str
    alias: str
    says_yes: Person
    says_no: Person

    @property
    def callback(self) -> str:
        """The redirect URI that the suite answers at."""
        return f"{self.suite.rstrip('/')}/test/a/{self.alias}/callback"


@dataclass(frozen=True)
class Plan:
    """A configuration file, and the plans of the suite that are run with it; `signed`: clients must sign requests."""

    name: str
    signed: bool
    runs: tuple[str, ...]


SECURITY_PROFILE = "fapi2-security-profile-final-test-plan" + VARIANT
MESSAGE_SIGNING = "fapi2-message-signing-final-test-plan" + VARIANT + SIGNED
PLANS = (
    Plan(
        "security-profile",
        signed=False,
        runs=tuple(SECURITY_PROFILE.format(details=details) for details in ("simple", "rar")),
    ),
    Plan(
        "message-signing",
        signed=True,
        runs=tuple(
            MESSAGE_SIGNING.format(details="simple", mode=mode) for mode in ("plain_response", "jarm")
        ),
    ),
)


def private_jwk(public: Jwk, private: bytes) -> Jwk:
    """A public JWK with the private members beside it (RFC 7518 6.2.2, 6.3.2)."""
    key = load_der_private_key(private, None)
    if isinstance(key, EllipticCurvePrivateKey):
        return {**public, "d": number(key.private_numbers().private_value, 32)}
    assert isinstance(key, RSAPrivateKey)
    own = key.private_numbers()
    members = {"d": own.d, "p": own.p, "q": own.q, "dp": own.dmp1, "dq": own.dmq1, "qi": own.iqmp}
    return {**public, **{name: number(value) for name, value in members.items()}}


def configuration(place: Place, plan: Plan, clients: list[tuple[str, Jwk]]) -> dict[str, Any]:
    """What the suite reads; clients: the client_id of each and its private key."""
    asked = [
        {"client_id": client_id, "scope": SCOPE, "jwks": {"keys": [key]}, "dpop_signing_alg": "ES256"}
        for client_id, key in clients
    ]
    allow = browser(place, place.says_yes, "allow")
    deny = browser(place, place.says_no, "deny")
    return {
        "alias": place.alias,
        "description": f"valetkey at {urlsplit(place.issuer).netloc}: {plan.name}",
        "server": {"discoveryUrl": f"{place.issuer}/.well-known/oauth-authorization-server"},
        "client": asked[0],
        "client2": asked[1],
        "resource": {"resourceUrl": place.issuer + RESOURCE, "richAuthorizationRequest": DETAILS},
        "browser": [allow],
        "override": {
            f"{MODULE}user-rejects-authentication": {"browser": [deny]},
            f"{MODULE}par-ensure-reused-request-uri-prior-to-auth-completion-succeeds": {
                "browser": [looks(place), allow]
            },
        },
    }


def looks(place: Place) -> dict[str, Any]:
    """The first visit only sees the login page and goes away."""
    seen: Command = ["wait", "id", "username", 10]
    return {**visit(place, task("Look at the login page", place.issuer + "/*", seen)), "match-limit": 1}


def browser(place: Place, person: Person, decision: str) -> dict[str, Any]:
    """What the suite's browser does from the authorization endpoint on; it may be asked nothing, or shown an error."""
    return visit(
        place,
        task(
            "Log in",
            f"{place.issuer}/accounts/login*",
            ["text", "id", "username", person.username],
            ["text", "id", "password", person.password],
            ["click", "xpath", "//form[@action='/accounts/login/']//button[@class='wide']"],
        ),
        task(
            "Decide",
            f"{place.issuer}/oauth/authorize*",
            ["click", "xpath", f"//button[@name='decision'][@value='{decision}']", "optional"],
        ),
        task(
            "An error page",
            f"{place.issuer}/oauth/authorize*",
            ["wait", "xpath", "//h1", 5, ".+", "update-image-placeholder-optional"],
        ),
        task("Back at the suite", f"{place.callback}*", ["wait", "id", "submission_complete", 10]),
    )


def visit(place: Place, *tasks: dict[str, Any]) -> dict[str, Any]:
    """What is done when the suite sends somebody to the authorization endpoint."""
    return {"match": f"{place.issuer}/oauth/authorize*", "tasks": list(tasks)}


def task(name: str, match: str, *commands: Command) -> dict[str, Any]:
    """One step; where the browser is elsewhere it is left out."""
    return {"task": name, "match": match, "optional": True, "commands": list(commands)}
