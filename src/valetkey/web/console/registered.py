"""What an app registers beyond its name and addresses, as a form: a line for each field (RFC 7591 2)."""

from dataclasses import dataclass
from dataclasses import replace as of_field

from msgspec.structs import replace

from valetkey.protocol.model import Client, Registration
from valetkey.protocol.params import Params
from valetkey.protocol.profile import Profile
from valetkey.protocol.rules import certificate
from valetkey.protocol.rules.rulebook import Rulebook
from valetkey.web.pages.forms import Errors

SHOWN = (
    "registered"  # the hidden field that says that the form had these: a box that is not ticked is not sent
)
NAME = "One of these five says how the certificate names your app."
SIGNED = "An algorithm such as ES256. Empty: any that we know."


@dataclass(frozen=True, slots=True)
class Field:
    """One member of Registration. kind: boxes, choice, words, text, lines or switch; choices: value, label, hint."""

    name: str
    kind: str
    label: str
    hint: str = ""
    choices: tuple[tuple[str, str, str], ...] = ()


EXTENSION = "urn:ietf:params:oauth:grant-type:"
GRANTS = (
    ("authorization_code", "Authorization code", "People log in in a browser and come back to your app."),
    ("refresh_token", "Refresh token", "It keeps its access without asking them again."),
    (
        f"{EXTENSION}device_code",
        "Device flow",
        "A device without a keyboard shows people a code to type elsewhere.",
    ),
    ("client_credentials", "Client credentials", "It asks for itself, with nobody in front of it."),
    (
        f"{EXTENSION}token-exchange",
        "Token exchange",
        "It turns the token that it was called with into one to call on.",
    ),
    (f"{EXTENSION}jwt-bearer", "JWT bearer", "Somebody who is trusted here vouches for a person."),
)
METHODS = (
    ("", "In any way that suits its type", ""),
    ("client_secret_basic", "By a secret in the Authorization header", ""),
    ("client_secret_post", "By a secret in the body", ""),
    ("client_secret_jwt", "By a JWT signed with the secret", ""),
    ("private_key_jwt", "By a JWT signed with a key of its own", ""),
    ("tls_client_auth", "By a certificate that an authority issued", ""),
    ("self_signed_tls_client_auth", "By a certificate of its own", ""),
    ("none", "Not at all: it can keep no secret", ""),
)
FORMS = (
    ("", "Opaque: whoever is shown one asks here", ""),
    ("jwt", "JWT: whoever is shown one can read it", ""),
)
PUSHED = "It hands its requests in beforehand; one that comes by the browser alone does not count."
FIELDS = (
    Field("grant_types", "boxes", "How it gets tokens", "", GRANTS),
    Field("scope", "words", "Scopes", "What it may ask for, with spaces between. Empty: anything there is."),
    Field(
        "optional_scope",
        "words",
        "Optional scopes",
        "What of it people may leave out; you are told what they did.",
    ),
    Field("token_endpoint_auth_method", "choice", "How it proves who it is", "", METHODS),
    Field("jwks_uri", "text", "Address of its keys", "Starts with https; read when it is needed."),
    Field("jwks", "lines", "Keys", "A JWK Set as text, if they have no address."),
    Field("tls_client_auth_subject_dn", "text", "Certificate: subject", NAME),
    Field("tls_client_auth_san_dns", "text", "Certificate: DNS name"),
    Field("tls_client_auth_san_uri", "text", "Certificate: URI"),
    Field("tls_client_auth_san_ip", "text", "Certificate: IP address"),
    Field("tls_client_auth_san_email", "text", "Certificate: e-mail address"),
    Field("access_token_format", "choice", "Form of access tokens", "", FORMS),
    Field(
        "dpop_bound_access_tokens", "switch", "Bind tokens to a key (DPoP)", "A stolen one is of no use then."
    ),
    Field(
        "tls_client_certificate_bound_access_tokens",
        "switch",
        "Bind tokens to its certificate",
        "By mutual TLS.",
    ),
    Field("require_pushed_authorization_requests", "switch", "Only pushed requests", PUSHED),
    Field("require_signed_request_object", "switch", "Only signed requests", "Signed with a key of its own."),
    Field("token_endpoint_auth_signing_alg", "text", "It signs JWTs that prove who it is with", SIGNED),
    Field("request_object_signing_alg", "text", "It signs requests with", SIGNED),
    Field("authorization_signed_response_alg", "text", "We sign answers with", SIGNED),
    Field("introspection_signed_response_alg", "text", "We sign what we say of tokens with", SIGNED),
)
# what a profile, or the server, must have for a field to mean anything
NEEDS = {
    "sender": "dpop_bound_access_tokens tls_client_certificate_bound_access_tokens",
    "certificates": "tls_client_auth_subject_dn tls_client_auth_san_dns tls_client_auth_san_uri tls_client_auth_san_ip"
    " tls_client_auth_san_email tls_client_certificate_bound_access_tokens",
    "pushing": "require_pushed_authorization_requests require_signed_request_object request_object_signing_alg",
    "response_modes": "authorization_signed_response_alg",
    "partial_consent": "optional_scope",
}
CERTIFICATE = NEEDS["certificates"].split()
LABELS = {field.name: (field.name, field.label) for field in FIELDS}


def offered(client: Client, book: Rulebook) -> list[Field]:
    """The fields that mean anything under the app's profile, with the choices it has there; those about certificates
    where any reach the server, or where it has said something of them."""
    profile = book.profiles[client.profile]
    had = {
        "grant_types": profile.grants.union(client.grant_types),
        "token_endpoint_auth_method": methods(client, profile, book.by_certificate),
    }
    dead = pointless(profile, bool(profile.client_auth & book.by_certificate))
    return [
        narrowed(field, had[field.name]) if field.name in had else field
        for field in FIELDS
        if field.name not in dead or (field.name in CERTIFICATE and getattr(client.registered, field.name))
    ]


def methods(client: Client, profile: Profile, by_certificate: frozenset[str]) -> frozenset[str]:
    """The ways in which an app of this type can prove who it is."""
    heard = profile.client_auth - (certificate.METHODS - by_certificate)
    fitting = {name for name in heard if (name == "none") is not client.confidential}
    return frozenset({"", client.registered.token_endpoint_auth_method} | fitting)


def narrowed(field: Field, had: frozenset[str]) -> Field:
    """The field with those of its choices that can be had."""
    return of_field(field, choices=tuple(each for each in field.choices if each[0] in had))


def pointless(profile: Profile, certificates: bool) -> frozenset[str]:
    """The fields that turn nothing on under this profile."""
    has = {
        "certificates": certificates,
        "sender": profile.sender != "never",
        "pushing": profile.pushing != "never",
        "response_modes": bool(profile.response_modes),
        "partial_consent": profile.partial_consent,
    }
    return frozenset(name for rule, names in NEEDS.items() if not has[rule] for name in names.split())


def filled(client: Client) -> Errors:
    """The fields as the app stands."""
    form: Errors = {f"grant_types:{name}": "yes" for name in client.grant_types}
    for field in FIELDS[1:]:
        value = getattr(client.registered, field.name)
        if field.kind == "words":
            form[field.name] = " ".join(value)
        else:
            form[field.name] = ("yes" if value else "") if field.kind == "switch" else value
    return form


def said_of(given: Params, client: Client, book: Rulebook) -> Registration:
    """What the form says; what it had no field for stays as it is."""
    was = client.registered
    if given.get(SHOWN) is None:
        return was
    said: dict[str, object] = {}
    for field in offered(client, book):
        typed = (given.get(field.name) or "").strip()
        if field.kind == "boxes":
            ticked = tuple(name for name, *_ in field.choices if given.get(f"{field.name}:{name}"))
            said[field.name] = was.grant_types if set(ticked) == set(client.grant_types) else ticked
        elif field.kind == "words":
            said[field.name] = tuple(dict.fromkeys(typed.split()))
        else:
            said[field.name] = bool(typed) if field.kind == "switch" else typed
    return replace(was, **said)


def typed(given: Params) -> Errors:
    """The fields as they were filled in, to show them again."""
    return {name: value for name, value in given.items() if name.partition(":")[0] in LABELS}
