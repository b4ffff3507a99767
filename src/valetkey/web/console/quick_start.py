"""The quick start: every step of the flow with the app's own values filled in, ready to paste."""

from dataclasses import dataclass
from urllib.parse import urlencode

from valetkey.protocol.model import Client
from valetkey.protocol.profile import Profile

ASSERTION = [
    "client_assertion_type=urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
    "client_assertion=SIGNED-JWT",
]


@dataclass(frozen=True, slots=True)
class Step:
    """What a step is for, and what to run."""

    title: str
    text: str


def quick_start(client: Client, issuer: str, profile: Profile) -> list[Step]:
    """The steps, from the link people follow to the first call of the API."""
    redirect_uri = client.redirect_uris[0] if client.redirect_uris else "REDIRECT-URI"
    in_front = not client.confidential and client.allow_implicit
    query = {
        "client_id": client.id,
        "redirect_uri": redirect_uri,
        "response_type": "token" if in_front else "code",
    }
    if not in_front and (profile.pkce_required or not client.confidential):
        query |= {"code_challenge": "CHALLENGE", "code_challenge_method": "S256"}
    steps = pushed(client, query, issuer) if profile.pushing == "must" else [sent(query, issuer)]
    if in_front:
        steps.append(Step("Take the token from the fragment", f"{redirect_uri}#access_token=ACCESS-TOKEN"))
    else:
        more = "&" if "?" in redirect_uri else "?"
        steps.append(Step("They come back with a code", f"{redirect_uri}{more}code=CODE"))
        fields = exchange(client, redirect_uri, profile, "code_challenge" in query)
        address = issuer + profile.token_path
        steps.append(
            Step("Turn the code into an access token", curl(fields, address, profile.sender == "must"))
        )
    return [*steps, Step("Call the API", call(issuer, profile.sender == "must"))]


def sent(query: dict[str, str], issuer: str) -> Step:
    """The link that people follow."""
    return Step("Send people to this address", f"{issuer}/oauth/authorize/?{urlencode(query)}")


def pushed(client: Client, query: dict[str, str], issuer: str) -> list[Step]:
    """The request is handed in first, and the link says which (RFC 9126)."""
    fields = [f"{name}={value}" for name, value in query.items()]
    handed = Step("Hand the request in", curl([*fields, *ASSERTION], f"{issuer}/oauth/par"))
    return [handed, sent({"client_id": client.id, "request_uri": "REQUEST-URI"}, issuer)]


def call(issuer: str, bound: bool) -> str:
    """The first call, with a token that is bound to a key or not."""
    shown = (
        "-H 'Authorization: DPoP ACCESS-TOKEN' -H 'DPoP: PROOF'"
        if bound
        else "-H 'Authorization: Bearer ACCESS-TOKEN'"
    )
    return f"curl {shown} {issuer}/v1/users/self"


def exchange(client: Client, redirect_uri: str, profile: Profile, verifier: bool) -> list[str]:
    """The fields of the token request."""
    fields = [f"client_id={client.id}"]
    if client.confidential:
        by_secret = "client_secret_post" in profile.client_auth
        fields += ["client_secret=CLIENT-SECRET"] if by_secret else ASSERTION
    fields += ["grant_type=authorization_code"]
    fields += [f"redirect_uri={redirect_uri}"] if profile.redirect_again else []
    fields += ["code_verifier=VERIFIER"] if verifier else []
    return [*fields, "code=CODE"]


def curl(fields: list[str], address: str, bound: bool = False) -> str:
    """As the origin's documentation writes it: curl -F, a field a line."""
    proof = ["-H 'DPoP: PROOF' \\"] if bound else []
    return "curl " + "\n  ".join(
        [*proof, *(f"{flag(field)} {quoted(field)} \\" for field in fields), address]
    )


def flag(field: str) -> str:
    """-F, unless curl would read more into the value than stands there."""
    return "--form-string" if ";" in field else "-F"


def quoted(text: str) -> str:
    """In single quotes for the shell, whatever stands in it."""
    return "'" + text.replace("'", "'\\''") + "'"
