"""The page where a person answers a device (RFC 8628 3.3): a code is a question, and only a person says yes to it."""

from valetkey.protocol.changes import Changes, Hold, Save
from valetkey.protocol.decision import AskDevice, DeviceAnswered, DeviceDecision, DeviceUnknown
from valetkey.protocol.errors import AccessDenied, InvalidRequest, OAuthError
from valetkey.protocol.facts import AuthorizeFacts
from valetkey.protocol.model import Account, Client, Consent, DeviceRequest
from valetkey.protocol.rules import consent, resource
from valetkey.protocol.rules import scope as scopes
from valetkey.protocol.rules.consent import Said
from valetkey.protocol.rules.grant import shown_lifetime
from valetkey.protocol.rules.owner import check_sandbox, living_account
from valetkey.protocol.rules.rulebook import Rulebook


def decide(
    waits: DeviceRequest | None, facts: AuthorizeFacts, said: Said | None, book: Rulebook, now: int
) -> DeviceDecision:
    """What becomes of a code that a person typed; they are asked every time, whatever they allowed before (RFC 8628
    5.4). `said` is what they answered, once they did."""
    try:
        waits = still_waiting(waits, now)
        client, account = known_client(facts), present(facts, now)
        check_sandbox(client, account)
    except OAuthError as error:
        return DeviceUnknown(error)
    scope, profile = waits.scope, book.profiles[client.profile]
    elsewhere = resource.others(waits.terms.resource, book)
    choice = consent.choice(client, profile, scope, facts.consent, book.catalogue)
    if said is None:
        who, lifetime = (client, facts.developer, account), shown_lifetime(client, profile)
        told = waits.terms.details
        return AskDevice(*who, waits.user_code, scope, lifetime, choice, (), told, elsewhere)
    denied = DeviceAnswered(client, account, waits.digest, "deny", ())
    if not said.allowed:
        return denied
    try:
        allowed = consent.granted(scope, scope, said, None, choice)
    except AccessDenied:
        return denied
    kept: Changes = () if facts.consent is None else (Hold(account.id, client.id),)
    refused, there = scopes.widened(scope, allowed), tuple((uri, allowed) for uri in elsewhere)
    answer = Consent(account.id, client.id, allowed, now, refused, there)
    kept += (Save(consent.merged(answer, consent.standing(facts.consent, client, choice))),)
    return DeviceAnswered(client, account, waits.digest, "allow", allowed, kept, waits.terms)


def still_waiting(waits: DeviceRequest | None, now: int) -> DeviceRequest:
    """The device, if it waits. Raises InvalidRequest."""
    if waits is None:
        raise InvalidRequest("user_code_unknown", "no device shows this code")
    if waits.expires_at <= now:
        raise InvalidRequest("user_code_expired", "the code has expired")
    if waits.said:
        raise InvalidRequest("user_code_answered", "the code was answered before")
    return waits


def known_client(facts: AuthorizeFacts) -> Client:
    """Whose device it is. Raises InvalidRequest: nobody sees why, for it is nothing that they can mend."""
    if facts.client is None or facts.client.disabled_at is not None:
        raise InvalidRequest("user_code_unknown", "no device shows this code")
    return facts.client


def present(facts: AuthorizeFacts, now: int) -> Account:
    """Who answers. Raises InvalidRequest: a session may end while its page is open."""
    account = living_account(facts, now)
    if account is None:
        raise InvalidRequest("session_ended", "nobody is logged in any more")
    return account
