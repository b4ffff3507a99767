"""refresh_token: a refresh token for the next pair (RFC 6749 6, RFC 9700 4.14.2). Why it is so: decision 0026."""

from msgspec.structs import replace

from valetkey.protocol.changes import Changes, Extend, Revoke, Save, Spend
from valetkey.protocol.decision import Granted, Renewal, Repeated
from valetkey.protocol.errors import InvalidGrant, InvalidRequest, InvalidScope
from valetkey.protocol.model import Account, Notice, RefreshToken, Terms
from valetkey.protocol.rules import scope as scopes
from valetkey.protocol.rules.grant import Grant, Proven

REUSED = "refresh_reused"
STEPS = 20  # a token that stays is written anew when its end has moved by this part of its lifetime


def decide(asked: Proven) -> Granted | Repeated:
    """The order of the lines is the order of the checks: who cannot show possession revokes nothing."""
    refresh, account = possessed(asked)
    root, profile, book, now = refresh.authorization, asked.profile, asked.book, asked.now
    if root.revoked_at is not None or account.disabled_at is not None:
        raise InvalidGrant("refresh_revoked", "the authorization was revoked")
    if refresh.spent_at is not None:
        return again(asked, refresh, account, refresh.spent_at)
    check_age(asked, refresh, refresh.expires_at)
    terms, end = narrowed(asked, refresh), min(now + book.refresh_lifetime, last_moment(asked, refresh))
    if not profile.refresh_rotates:
        stays = moved(refresh, end, book.refresh_lifetime)
        return Granted(root, account, profile, profile.token_lifetime, stays, terms)
    spends = (Spend(RefreshToken, refresh.digest, now),)
    retry = now + book.retry_window if book.retry_window else None
    renew = Renewal(end - now, refresh.terms, retry)
    return Granted(root, account, profile, profile.token_lifetime, spends, terms, renew)


def possessed(asked: Proven) -> tuple[RefreshToken, Account]:
    """The refresh token, once it is shown by its client and under the key it is bound to. Raises OAuthError."""
    if asked.params.get("refresh_token") is None:
        raise InvalidRequest("refresh_missing", "refresh_token is missing")
    refresh, account = asked.facts.refresh, asked.facts.account
    if refresh is None or account is None or refresh.authorization.client_id != asked.client.id:
        raise InvalidGrant("refresh_unknown", "the refresh token is unknown")
    bound, sender = refresh.terms, asked.sender
    if bound.jkt not in ("", sender.jkt) or bound.x5t not in ("", sender.x5t):
        raise InvalidGrant("refresh_sender", "the refresh token is bound to another key")
    return refresh, account


def again(asked: Proven, refresh: RefreshToken, account: Account, spent_at: int) -> Granted | Repeated:
    """A spent one is shown: its successor once more, while nobody has used that and the window is open.

    Otherwise two hold what one was given, and nobody keeps it (RFC 9700 4.14.2).
    """
    root, profile, now, successor = refresh.authorization, asked.profile, asked.now, asked.facts.successor
    if successor is None or successor.used_at is not None or successor.expires_at <= now:
        told = Notice(root.id, root.account_id, root.client_id, REUSED, now)
        words = "the refresh token was used before; all that came from it is revoked"
        raise InvalidGrant(REUSED, words, changes=(Revoke(root.id, now), Save(told)))
    check_age(asked, refresh, successor.expires_at)
    terms, lifetime = narrowed(asked, refresh), profile.token_lifetime
    over = lifetime is not None and spent_at + lifetime <= now
    if terms == successor.terms and not over:
        return Repeated(successor, profile)
    return Granted(root, account, profile, lifetime, (), terms, beside=successor)


def check_age(asked: Proven, refresh: RefreshToken, expires_at: int) -> None:
    """Nothing is given after this end, nor after that of the whole authorization. Raises InvalidGrant."""
    if min(expires_at, last_moment(asked, refresh)) <= asked.now:
        raise InvalidGrant("refresh_expired", "the refresh token has expired")


def last_moment(asked: Proven, refresh: RefreshToken) -> int:
    """When the person must be asked again, however often the app came back."""
    return refresh.authorization.granted_at + asked.book.refresh_absolute


def narrowed(asked: Proven, refresh: RefreshToken) -> Terms:
    """What the access token is narrowed and bound to: never more than was allowed (RFC 6749 6). Raises InvalidScope."""
    granted, catalogue = refresh.terms.scope or refresh.authorization.scope, asked.book.catalogue
    allowed = scopes.remaining(granted, asked.client, catalogue)
    named = asked.params.get("scope")
    wanted = allowed if named is None else scopes.read(named, (), catalogue)
    beyond = scopes.widened(wanted, allowed) if allowed else granted
    if beyond:
        shown = ", ".join(beyond)
        raise InvalidScope("scope_widened", f"this scope is not allowed, or no longer: {shown}", shown)
    scope = tuple(name for name in granted if name in wanted)
    return replace(asked.sender, scope=() if scope == refresh.authorization.scope else scope)


def moved(refresh: RefreshToken, end: int, lifetime: int) -> Changes:
    """What is written of a use when the token stays: its end, now and then."""
    return (Extend(refresh.digest, end),) if end - refresh.expires_at > lifetime // STEPS else ()


REFRESH_TOKEN = Grant(name="refresh_token", redeems="refresh_token", decide=decide)
