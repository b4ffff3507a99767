"""The device authorization endpoint acts: look up, decide, mint both codes, apply (RFC 8628 3.1, 3.2)."""

from msgspec import Struct

from valetkey.protocol.changes import Changes, Save
from valetkey.protocol.decision import Refused
from valetkey.protocol.endpoints import device_authorization as rules
from valetkey.protocol.endpoints.device_authorization import DeviceAuthorizationRequest
from valetkey.protocol.facts import Known
from valetkey.protocol.model import Client, DeviceRequest
from valetkey.protocol.rules import user_code
from valetkey.protocol.rules.digest import digest
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.server.form_endpoint import reads
from valetkey.server.settle import settle
from valetkey.server.token import Reply

LIFETIME = 600  # seconds in which a person fetches another device, logs in and types the code
PAGE = "/device"
INTERVAL = 5  # seconds between two questions of the device (RFC 8628 3.2)


class Waiting(Struct, frozen=True):
    """A device that waits, with its codes minted."""

    device_code: str
    user_code: str
    changes: Changes


@reads(rules.read)
async def device_authorization(
    server: AuthorizationServer, request: DeviceAuthorizationRequest
) -> Reply | Refused:
    """Answer a device that wants its person to log in. Raises settle.Busy, store.base.Unavailable."""
    client_id = request.shown.client_id

    async def facts(used: frozenset[bytes]) -> tuple[Client | None, Known]:
        client = await server.store.client(client_id)
        return client, await server.client_keys.known(client, request.shown, used)

    def decide(found: tuple[Client | None, Known]) -> Waiting | Refused:
        now = server.clock()
        decision = rules.decide(request, *found, server.book, now)
        if isinstance(decision, Refused):
            return decision
        code, shown = server.mint.device_code(now), server.mint.user_code()
        times, terms = (now + LIFETIME, INTERVAL), decision.terms
        kept = DeviceRequest(digest(code), shown, client_id, decision.scope, *times, terms)
        return Waiting(code, shown, (*decision.changes, Save(kept)))

    done = await settle(server.store, facts, decide)
    if isinstance(done, Refused):
        return done
    return Reply(200, answer(server, done), client_id=client_id)


def answer(server: AuthorizationServer, waiting: Waiting) -> dict[str, object]:
    """What the device is told (RFC 8628 3.2): both codes, and where the person goes."""
    shown = user_code.spelled(waiting.user_code)
    page = server.book.issuer + PAGE
    return {
        "device_code": waiting.device_code,
        "user_code": shown,
        "verification_uri": page,
        "verification_uri_complete": f"{page}?user_code={shown}",
        "expires_in": LIFETIME,
        "interval": INTERVAL,
    }
