"""The device page acts: find the device by its code, ask, and keep the answer (RFC 8628 3.3)."""

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import AnswerDevice, Changes, Save, Spend
from valetkey.protocol.decision import AskDevice, DeviceAnswered, DeviceUnknown
from valetkey.protocol.endpoints.device import decide as rules_decide
from valetkey.protocol.errors import InvalidRequest
from valetkey.protocol.facts import AuthorizeFacts
from valetkey.protocol.model import Authorization, DeviceRequest, Ticket
from valetkey.protocol.rules import user_code
from valetkey.protocol.rules.consent import Said
from valetkey.protocol.rules.digest import digest
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.authorize import TICKET_LIFETIME
from valetkey.server.login import SignedIn, Throttled, count
from valetkey.server.settle import settle

ACCOUNT_PREFIX = "device:account:"
NETWORK_PREFIX = "device:network:"
ASKED = b"device "  # before the code in a ticket; no query string has a space, so no ticket is taken for the other kind


class ShowDevice(Struct, frozen=True):
    """The confirmation screen, with the ticket that its answer must bring back."""

    ask: AskDevice
    ticket: str
    changes: Changes


Outcome = DeviceUnknown | ShowDevice | DeviceAnswered
Facts = tuple[DeviceRequest | None, AuthorizeFacts]


async def show(server: AuthorizationServer, who: SignedIn, typed: str, network: str) -> Outcome | Throttled:
    """What is shown for a code that a person typed. Raises settle.Busy, store.base.Unavailable."""
    throttled = await count_code(server, who, network)
    if throttled is not None:
        return throttled
    code = user_code.read(typed)
    if code is None:
        return DeviceUnknown(InvalidRequest("user_code_malformed", "this is no code"))

    def decide(facts: Facts) -> Outcome:
        now = server.clock()
        decision = rules_decide(*facts, None, server.book, now)
        if not isinstance(decision, AskDevice):
            return decision
        ticket = server.mint.text()
        kept = Ticket(digest(ticket), who.session.digest, ASKED + code.encode(), now + TICKET_LIFETIME)
        return ShowDevice(decision, ticket, (Save(kept),))

    return await settle(server.store, lambda _: look_up(server, code, who), decide)


async def answer(server: AuthorizationServer, who: SignedIn, ticket: str, said: Said | None) -> Outcome:
    """The person answered the confirmation screen of the code that the ticket holds (R12)."""
    kept = await server.store.ticket(digest(ticket))
    if kept is None or kept.session_digest != who.session.digest or not kept.query.startswith(ASKED):
        return DeviceUnknown(InvalidRequest("ticket_unknown", "this confirmation is not known"))
    if said is None:
        return DeviceUnknown(InvalidRequest("decision_missing", "the answer must be allow or deny"))
    code = kept.query.removeprefix(ASKED).decode()

    async def facts_now(used: frozenset[bytes]) -> tuple[Ticket | None, Facts]:
        return await server.store.ticket(kept.digest), await look_up(server, code, who)

    def decide(facts: tuple[Ticket | None, Facts]) -> Outcome:
        now, current = server.clock(), facts[0]
        if current is None or current.expires_at <= now or current.spent_at is not None:
            return DeviceUnknown(
                InvalidRequest("ticket_spent", "this confirmation was answered or has expired")
            )
        decision = rules_decide(*facts[1], said, server.book, now)
        if isinstance(decision, DeviceUnknown):
            return decision
        assert isinstance(decision, DeviceAnswered), decision
        return replace(decision, changes=(Spend(Ticket, kept.digest, now), *written(server, decision, now)))

    return await settle(server.store, facts_now, decide)


def written(server: AuthorizationServer, decision: DeviceAnswered, now: int) -> Changes:
    """What an answer leaves behind: word for the device and, unless it is no, the authorization it will be given."""
    if decision.said != "allow":
        return (*decision.changes, AnswerDevice(decision.digest, decision.said))
    key, who, app = server.mint.authorization_id(now), decision.account.id, decision.client.id
    root = Authorization(key, who, app, decision.scope, now, terms=decision.terms)
    return (*decision.changes, Save(root), AnswerDevice(decision.digest, decision.said, root))


async def look_up(server: AuthorizationServer, code: str, who: SignedIn) -> Facts:
    """The device that shows this code, its client, and who answers."""
    waits = await server.store.device_request_shown(code)
    client_id = waits.client_id if waits else ""
    return waits, await server.store.authorize_facts(client_id, who.session.digest)


async def count_code(server: AuthorizationServer, who: SignedIn, network: str) -> Throttled | None:
    """Count a code against its person and their network before it is looked up, lest all be tried (RFC 8628 5.1)."""
    return await count(server, f"{ACCOUNT_PREFIX}{who.account.id}", NETWORK_PREFIX + network)
