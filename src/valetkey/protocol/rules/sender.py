"""Who sends: the key or certificate that a token is bound to, and is shown with (RFC 9449 5 and 7, RFC 8705 3; C15)."""

from msgspec import Struct

from valetkey.protocol.changes import Changes
from valetkey.protocol.errors import InvalidDpopProof, InvalidGrant, InvalidRequest, InvalidToken
from valetkey.protocol.facts import Known
from valetkey.protocol.model import TERMS, Client, Terms
from valetkey.protocol.rules import certificate, dpop
from valetkey.protocol.rules.dpop import Call
from valetkey.protocol.rules.grant import Proven
from valetkey.protocol.rules.headers import Headers


def prove(asked: Proven, headers: Headers, path: str) -> tuple[Terms, Changes]:
    """What a token is bound to that is asked for at this path, and what must be written for it. Raises OAuthError."""
    client, profile = asked.client, asked.profile
    if profile.sender == "never":
        return TERMS, ()
    x5t = shown_certificate(client, headers)
    if headers.dpop is None:
        if client.registered.dpop_bound_access_tokens or (profile.sender == "must" and not x5t):
            raise InvalidRequest("dpop_missing", "this client must send a DPoP proof (RFC 9449)")
        return Terms(x5t=x5t) if x5t else TERMS, ()
    also = asked.book.certificate_url  # nobody tells us by which of its addresses an endpoint was asked
    call = Call("POST", asked.book.issuer + path, profile.assertions.algorithms, also=also and also + path)
    proof = dpop.check(headers.dpop, call, asked.facts.known, asked.now)
    return Terms(jkt=proof.jkt, x5t=x5t), (proof.once,)


def shown_certificate(client: Client, headers: Headers) -> str:
    """The thumbprint of the certificate that the client wants its tokens bound to; "" for none (RFC 8705 3.4)."""
    if not client.registered.tls_client_certificate_bound_access_tokens:
        return ""
    if headers.certificate is None:
        raise InvalidRequest("certificate_missing", "this client must come with its certificate (RFC 8705)")
    return certificate.thumbprint(headers.certificate)


def check_code(bound: Terms, sender: Terms) -> None:
    """A code whose request named a key is for who holds that key (RFC 9449 10). Raises InvalidGrant."""
    if bound.jkt not in ("", sender.jkt):
        raise InvalidGrant("dpop_jkt_differs", "the code is bound to another DPoP key")


class Shown(Struct, frozen=True):
    """An access token as a call shows it."""

    scheme: str
    token: str
    headers: Headers


def check_token(shown: Shown, bound: Terms, call: Call, known: Known, now: int) -> Changes:
    """A token is shown as it is bound, and with what it is bound to. Raises InvalidToken, InvalidDpopProof.

    One that is bound is never taken as if it were not (RFC 9449 7.1), nor the other way round.
    """
    if bound.x5t:
        der = shown.headers.certificate
        if der is None or certificate.thumbprint(der) != bound.x5t:
            raise InvalidToken("x5t_differs", "this access token is bound to another certificate")
    if not bound.jkt:
        if shown.scheme == "dpop":
            raise InvalidToken("token_unbound", "this access token is not bound to a DPoP key")
        return ()
    if shown.scheme != "dpop":
        raise InvalidToken("token_bound", "this access token must be shown with a DPoP proof")
    if shown.headers.dpop is None:
        raise InvalidDpopProof("dpop_missing", "the DPoP proof is missing")
    proof = dpop.check(shown.headers.dpop, call, known, now)
    if proof.jkt != bound.jkt:
        raise InvalidToken("jkt_differs", "this access token is bound to another DPoP key")
    return (proof.once,)
