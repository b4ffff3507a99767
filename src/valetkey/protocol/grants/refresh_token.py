"""refresh_token: a refresh token for the next pair (RFC 6749 6, RFC 9700 4.14.2). Why it is so: decision 0026."""

from msgspec.structs import replace

from valetkey.protocol.changes import Changes, Extend, Revoke, Save, Spend
from valetkey.protocol.decision import Granted, Renewal
from valetkey.protocol.errors import InvalidGrant, InvalidRequest, InvalidScope
from valetkey.protocol.model import Account, Notice, RefreshToken, SealedSuccessor, Terms
from valetkey.protocol.rules import scope as scopes
from valetkey.protocol.rules.grant import Grant, Proven

REUSED = "refresh_reused"
STEPS = 20  # a token that stays is written anew when its end has moved by this part of its lifetime


def decide(asked: Proven) -> Granted:
    """The order of the lines is the order of the checks: who cannot show possession revokes nothing."""
    refresh, account = possessed(asked)
    root, profile, book, now = refresh.authorization, asked.profile, asked.book, asked.now
    if root.revoked_at is not None or account.disabled_at is not None:
        raise InvalidGrant("refresh_revoked", "the authorization was revoked")
    seal, ends = its_seal(asked, refresh), root.granted_at + book.refresh_absolute
    if ends <= now or (seal is None and refresh.expires_at <= now):
        raise InvalidGrant("refresh_expired", "the refresh token has expired")
    terms, lifetime = narrowed(asked, refresh), profile.token_lifetime
    if seal is not None:
        return Granted(root, account, profile, lifetime, (), terms, beside=seal)
    end = min(now + book.refresh_lifetime, ends)
    if not profile.refresh_rotates:
        stays = moved(refresh, end, book.refresh_lifetime)
        return Granted(root, account, profile, lifetime, stays, terms)
    spends = (Spend(RefreshToken, refresh.digest, now),)
    window = min(book.retry_window, lifetime or book.retry_window)  # what is told again is alive
    renew = Renewal(end - now, refresh.terms, now + window if window else None)
    return Granted(root, account, profile, lifetime, spends, terms, renew)


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


def its_seal(asked: Proven, refresh: RefreshToken) -> SealedSuccessor | None:
    """What a spent one was answered, to be told once more while nobody has used its successor and the window is open.

    Otherwise two hold what one was given, and nobody keeps it (RFC 9700 4.14.2). None for one that is not spent.
    """
    root, now, seal = refresh.authorization, asked.now, asked.facts.successor
    if refresh.spent_at is None:
        return None
    if seal is None or seal.used_at is not None or seal.expires_at <= now:
        told = Notice(root.id, root.account_id, root.client_id, REUSED, now)
        words = "the refresh token was used before; all that came from it is revoked"
        raise InvalidGrant(REUSED, words, changes=(Revoke(root.id, now), Save(told)))
    return seal


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
