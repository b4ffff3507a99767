"""Revocation: a client gives back what it holds (RFC 7009). What is unknown is as good as given back."""

from msgspec import Struct

from valetkey.protocol.changes import Changes, Expire, Revoke
from valetkey.protocol.client_auth import authenticate
from valetkey.protocol.decision import Refused
from valetkey.protocol.errors import InvalidRequest, OAuthError
from valetkey.protocol.facts import ExchangeFacts
from valetkey.protocol.model import Client
from valetkey.protocol.rules import residence
from valetkey.protocol.rules.rulebook import Rulebook
from valetkey.protocol.rules.token_question import TokenQuestion


class Revoked(Struct, frozen=True):
    """Whatever was there lives no more."""

    changes: Changes


def decide(question: TokenQuestion, facts: ExchangeFacts, book: Rulebook, now: int) -> Revoked | Refused:
    """A refresh token takes its whole authorization with it; an access token ends alone, so that an app which throws
    one away keeps its connection (RFC 7009 2.1)."""
    known, profile = residence.at(question.profile, facts.client, book)
    changes: Changes = ()
    try:
        caller, changes = authenticate(known, question.shown, facts.known, book, now)
        return Revoked((*changes, *ends(question, facts, caller, now)))
    except OAuthError as error:
        error.changes = (*changes, *error.changes)
        return Refused(error, profile)


def ends(question: TokenQuestion, facts: ExchangeFacts, caller: Client, now: int) -> Changes:
    """What is to be written. Raises InvalidRequest for what somebody else holds (RFC 7009 2.1)."""
    if question.refresh:
        if facts.refresh is None:
            return ()
        root = facts.refresh.authorization
        check_holder(root.client_id, caller)
        return (Revoke(root.id, now),)
    if facts.subject is None:
        return ()
    token = facts.subject.token
    check_holder(token.terms.client or facts.subject.client.id, caller)
    return (Expire(token.digest, now),)


def check_holder(client_id: str, caller: Client) -> None:
    """Nobody can end what another client holds. Raises InvalidRequest."""
    if client_id != caller.id:
        raise InvalidRequest("token_not_yours", "this token was issued to another client")
