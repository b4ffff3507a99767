"""authorization_code: a code for a token (RFC 6749 4.1.3). The order of the lines is the order of the checks."""

from valetkey.protocol.changes import Revoke, Spend
from valetkey.protocol.decision import Granted
from valetkey.protocol.errors import InvalidGrant, InvalidRequest
from valetkey.protocol.model import AuthorizationCode
from valetkey.protocol.rules import pkce, sender
from valetkey.protocol.rules.grant import Grant, Proven, renewable


def decide(asked: Proven) -> Granted:
    """Possession (client, redirect_uri, PKCE) is proven before replay is looked at, so that a thief cannot revoke."""
    params, client, profile, now = asked.params, asked.client, asked.profile, asked.now
    redirect_uri, code, account = params.get("redirect_uri"), asked.facts.code, asked.facts.account
    if redirect_uri is None and profile.redirect_again and (code is None or code.redirect_uri):
        raise InvalidRequest("redirect_uri_missing", "redirect_uri is missing")
    if params.get("code") is None:
        raise InvalidRequest("code_missing", "code is missing")
    if code is None or account is None or code.authorization.client_id != client.id:
        raise InvalidGrant("code_unknown", "the code is unknown")
    places = (code.redirect_uri,) if code.redirect_uri else client.redirect_uris
    if redirect_uri is not None and redirect_uri not in places:
        raise InvalidGrant("redirect_uri_differs", "redirect_uri differs from the authorization request")
    if not client.confidential and code.challenge is None:
        raise InvalidGrant("challenge_needed", "a public client must use PKCE")
    sender.check_code(code.authorization.terms, asked.sender)
    pkce.check_verifier(code, params.get("code_verifier"))
    if code.spent_at is not None:  # a replay: nobody keeps the tokens (RFC 6749 4.1.2)
        ends = (Revoke(code.authorization.id, now),)
        raise InvalidGrant("code_spent", "the code was used before; its tokens are revoked", changes=ends)
    if code.expires_at <= now:
        raise InvalidGrant("code_expired", "the code has expired")
    if code.authorization.revoked_at is not None or account.disabled_at is not None:
        raise InvalidGrant("code_revoked", "the authorization was revoked")
    spends = (Spend(AuthorizationCode, code.digest, now),)
    beside = renewable(asked)
    return Granted(
        code.authorization, account, profile, profile.token_lifetime, spends, asked.sender, renew=beside
    )


AUTHORIZATION_CODE = Grant(name="authorization_code", redeems="code", decide=decide)
