"""Introspection: does this token live, and what may it do? Told to those whom it concerns (RFC 7662, RFC 9701)."""

import msgspec
from msgspec import Struct

from valetkey.protocol.changes import Changes
from valetkey.protocol.client_auth import authenticate
from valetkey.protocol.decision import Refused
from valetkey.protocol.errors import InvalidClient, OAuthError
from valetkey.protocol.facts import BearerFacts, ExchangeFacts
from valetkey.protocol.model import Client
from valetkey.protocol.rules import base64url, claims, lifetime, residence
from valetkey.protocol.rules.claims import Claims
from valetkey.protocol.rules.rulebook import Rulebook
from valetkey.protocol.rules.token_question import TokenQuestion

DEAD: Claims = {"active": False}


class Introspected(Struct, frozen=True):
    """What is told, and to whom."""

    told: Claims
    caller: Client
    changes: Changes


def decide(question: TokenQuestion, facts: ExchangeFacts, book: Rulebook, now: int) -> Introspected | Refused:
    """What the caller is told; whatever does not concern it is as dead to it as what never was (CVE-2024-47077)."""
    known, profile = residence.at(question.profile, facts.client, book)
    try:
        caller, changes = authenticate(known, question.shown, facts.known, book, now)
        if not caller.confidential:
            raise InvalidClient("introspect_public", "only clients that authenticate may ask about tokens")
    except OAuthError as error:
        return Refused(error, profile)
    subject = lifetime.held(facts.subject, book)
    if question.refresh:
        told = of_refresh_token(facts, caller, book.issuer, now)
    elif subject is None or subject.ended(now) or not concerns(subject, caller, book):
        told = DEAD
    else:
        told = of_access_token(question, subject, book.issuer)
    return Introspected(told, caller, changes)


def concerns(facts: BearerFacts, caller: Client, book: Rulebook) -> bool:
    """Whether the caller holds the token, or is a server that takes tokens and this one is meant for it."""
    token = facts.token
    if caller.id == (token.terms.client or facts.client.id):
        return True
    named = claims.resources(token)
    if not named:
        return caller.registered.introspects
    known = [book.resources[uri] for uri in named if uri in book.resources]
    return any(resource.client == caller.id for resource in known)


def of_access_token(question: TokenQuestion, facts: BearerFacts, issuer: str) -> Claims:
    """RFC 7662 2.2."""
    told = claims.of(facts.token, issuer)
    told["active"] = True
    told["nbf"] = told["iat"]
    told["token_type"] = "DPoP" if facts.token.terms.jkt else "Bearer"
    if facts.account is not None:
        told["username"] = facts.account.username
    if question.token.count(".") == 2:  # we made it, for we know its digest
        told["jti"] = jti(question.token)
    return told


def of_refresh_token(facts: ExchangeFacts, caller: Client, issuer: str, now: int) -> Claims:
    """A refresh token concerns its client alone; it may live while no access token does."""
    refresh, account = facts.refresh, facts.account
    if refresh is None or account is None or refresh.authorization.client_id != caller.id:
        return DEAD
    over = refresh.expires_at <= now or refresh.spent_at is not None
    if over or refresh.authorization.revoked_at is not None or account.disabled_at is not None:
        return DEAD
    scope = refresh.terms.scope or refresh.authorization.scope
    return {
        "active": True,
        "iss": issuer,
        "sub": str(account.id),
        "client_id": caller.id,
        "username": account.username,
        "scope": " ".join(scope),
        "iat": refresh.created_at,
        "exp": refresh.expires_at,
    }


def jti(token: str) -> str:
    """The name that a JWT of ours carries."""
    return str(msgspec.json.decode(base64url.decode(token.split(".")[1]))["jti"])
