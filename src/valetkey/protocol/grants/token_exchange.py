"""token-exchange: a token for another that goes further, in the caller's own hands (RFC 8693 2).

Who may do it is said by pairs in its registration: whose tokens, for which audiences. The new token stands under the
same authorization as the one handed in, so that it ends when the person takes that back; it never lives longer, and
never may more.
"""

import msgspec

from valetkey.protocol.decision import Granted
from valetkey.protocol.errors import InvalidRequest, InvalidScope, InvalidTarget, UnauthorizedClient
from valetkey.protocol.facts import BearerFacts
from valetkey.protocol.model import Terms
from valetkey.protocol.rules import scope as scopes
from valetkey.protocol.rules.grant import Grant, Proven
from valetkey.protocol.rules.lifetime import held

ACCESS_TOKEN = "urn:ietf:params:oauth:token-type:access_token"
DEEPEST = 5  # actors in a row
ANY = "*"


def decide(asked: Proven) -> Granted:
    """The order of the lines is the order of the checks; the caller is known before its tokens are looked at."""
    client, registered = asked.client, asked.client.registered
    if not client.confidential or not registered.exchanges_of:
        raise UnauthorizedClient("exchange_forbidden", "this client may not exchange tokens")
    check_types(asked)
    subject = living(asked, asked.facts.subject, "subject_token")
    if not (ANY in registered.exchanges_of or holder(subject) in (client.id, *registered.exchanges_of)):
        raise InvalidRequest("exchange_not_of", "the subject_token is not one that this client may exchange")
    check_bound(asked, subject)
    root, had = subject.token.authorization, subject.token.terms
    scope = narrowed(asked, had.scope or root.scope)
    terms = Terms(
        scope=scope,
        resource=target(asked, had.resource or root.terms.resource),
        jkt=asked.sender.jkt,
        x5t=asked.sender.x5t,
        actor=acting(asked, had.actor),
        client=client.id,
    )
    lifetime = lasts(asked, subject)
    return Granted(root, subject.account, asked.profile, lifetime, (), terms, issued_token_type=ACCESS_TOKEN)


def check_types(asked: Proven) -> None:
    """Access tokens in, access tokens out (RFC 8693 3). Raises InvalidRequest."""
    params = asked.params
    if params.get("subject_token") is None:
        raise InvalidRequest("subject_token_missing", "subject_token is missing")
    if params.get("subject_token_type") != ACCESS_TOKEN:
        raise InvalidRequest("subject_token_type", f"subject_token_type must be {ACCESS_TOKEN}")
    if params.get("requested_token_type") not in (None, ACCESS_TOKEN):
        raise InvalidRequest("requested_token_type", f"requested_token_type must be {ACCESS_TOKEN}")
    token, kind = params.get("actor_token"), params.get("actor_token_type")
    if (token is None) != (kind is None) or kind not in (None, ACCESS_TOKEN):
        raise InvalidRequest("actor_token_type", f"actor_token goes with actor_token_type {ACCESS_TOKEN}")


def living(asked: Proven, facts: BearerFacts | None, name: str) -> BearerFacts:
    """The token handed in, if it is one of ours and lives. Raises InvalidRequest (RFC 8693 2.2.2)."""
    facts = held(facts, asked.book)
    if facts is None or facts.ended(asked.now):
        raise InvalidRequest(f"{name}_dead", f"the {name} is unknown or has ended")
    return facts


def check_bound(asked: Proven, subject: BearerFacts) -> None:
    """What came from an app all of whose tokens are bound does not go on as a bearer token (FAPI 2.0 5.3.2.1).

    Raises InvalidRequest.
    """
    strict = asked.book.profiles[subject.client.profile].sender == "must"
    if strict and not (asked.sender.jkt or asked.sender.x5t):
        words = "what comes of this subject_token must be bound: send a DPoP proof or a certificate"
        raise InvalidRequest("exchange_unbound", words)


def holder(facts: BearerFacts) -> str:
    """The client that a token was given to last."""
    return facts.token.terms.client or facts.client.id


def narrowed(asked: Proven, had: tuple[str, ...]) -> tuple[str, ...]:
    """What is asked of the scope that the token has; nothing asked is all that this client may. Raises InvalidScope."""
    allowed = asked.client.registered.scope or had
    named = asked.params.get("scope")
    if named is None:
        kept = tuple(name for name in had if name in allowed)
    else:
        kept = scopes.read(named, (), asked.book.catalogue)
    if not kept or scopes.widened(kept, had):
        raise InvalidScope("scope_wider", "the subject_token does not have this scope")
    scopes.check_registered(kept, asked.client)
    return kept


def target(asked: Proven, had: tuple[str, ...]) -> tuple[str, ...]:
    """The audiences of the new token: those named, or all that the client may ask for. Raises InvalidTarget."""
    allowed = asked.client.registered.exchanges_for
    named = (*asked.params.all("resource"), *asked.params.all("audience"))
    if any(name not in allowed for name in named):
        raise InvalidTarget("exchange_not_for", "this client may not ask for a token for that audience")
    return named or allowed or had


def acting(asked: Proven, before: str) -> str:
    """The chain of those who act (RFC 8693 4.1), newest outside; a client that impersonates adds nobody."""
    shown = asked.facts.actor
    if asked.params.get("actor_token") is None:
        if asked.client.registered.impersonates:
            return before
        acts: dict[str, object] = {"sub": asked.client.id}
    else:
        actor = living(asked, shown, "actor_token")
        if holder(actor) != asked.client.id:
            raise InvalidRequest("actor_not_own", "the actor_token was not given to this client")
        acts = {"sub": str(actor.account.id) if actor.account else actor.client.id}
    if before:
        acts["act"] = msgspec.json.decode(before)
    check_depth(acts)
    return msgspec.json.encode(acts).decode()


def check_depth(acts: dict[str, object]) -> None:
    """Raises InvalidRequest for a chain of more than a few."""
    depth, each = 0, acts.get("act")
    while isinstance(each, dict):
        depth, each = depth + 1, each.get("act")
    if depth >= DEEPEST:
        raise InvalidRequest("exchange_deep", f"the token went through more than {DEEPEST} hands")


def lasts(asked: Proven, subject: BearerFacts) -> int | None:
    """Seconds: as long as the client's profile says, and not beyond the token handed in."""
    own, ends = asked.profile.token_lifetime, subject.token.expires_at
    left = None if ends is None else ends - asked.now
    known = [each for each in (own, left) if each is not None]
    return min(known, default=None)


TOKEN_EXCHANGE = Grant(
    name="urn:ietf:params:oauth:grant-type:token-exchange", redeems="subject_token", decide=decide
)
