"""An app goes, with all it was ever allowed (D8, RFC 7592 2.3)."""

from contextlib import suppress

from msgspec.structs import replace

from valetkey.protocol.changes import Change, Remove, Save
from valetkey.protocol.model import Client
from valetkey.server.authorization_server import AuthorizationServer
from valetkey.store.base import Conflict

BATCH = 1000  # rows: a write beside it waits for some milliseconds


async def remove(server: AuthorizationServer, client: Client) -> None:
    """Shut it out first, for to take all of it away may take minutes: its requests are refused meanwhile, and do not
    wait, with those of others that are written beside them, for what is going. That goes in batches, beside which
    everybody is served. Who is interrupted says it again. Raises store.base.Unavailable."""
    if client.disabled_at is None:
        now = server.clock()
        leaving = replace(client.registered, left_at=now)
        shut_out = replace(client, version=client.version + 1, disabled_at=now, registered=leaving)
        with suppress(Conflict):  # somebody changes it just now; it goes all the same
            await server.store.apply((Save(shut_out),))
    while await server.store.empty(client.id, BATCH):
        pass
    gone: tuple[Change, ...] = (Remove(client.id),)
    await server.store.apply(gone)
