"""Two who change an app at once: what each writes follows from what the other has written."""

import os

import pytest
from msgspec.structs import replace

from valetkey.protocol.changes import Save
from valetkey.protocol.model import Account, Client
from valetkey.server import clients
from valetkey.server.authorization_server import AuthorizationServer, assemble
from valetkey.settings import Settings
from valetkey.store import open_store

NOW = 1_800_000_000
OWNER, TESTER, LEAVER = (
    Account(key, name, name, name, f"{name}@mail.example", "argon2", NOW)
    for key, name in enumerate(("developer", "snoop", "dre"), 1)
)
FORM = clients.ClientForm("Photo Printer", "web", "classic", ("https://app.example/callback",))


@pytest.fixture
async def server() -> AuthorizationServer:
    made = assemble(Settings(database="memory://"), open_store("memory://"), lambda: NOW, os.urandom)
    await made.store.apply((Save(OWNER), Save(TESTER), Save(LEAVER)))
    return made


async def test_a_secret_that_was_ended_meanwhile_stays_ended(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One rotates and lets the old secret live on for a week, while another ends it at once, for it has leaked."""
    app = (await clients.register(server, OWNER, FORM)).client
    look_up = server.store.client

    async def late(client_id: str) -> Client | None:
        found = await look_up(client_id)
        monkeypatch.undo()
        await clients.rotate_secret(server, OWNER, app.id, 0)
        return found

    monkeypatch.setattr(server.store, "client", late)
    await clients.rotate_secret(server, OWNER, app.id, 7 * 86400)
    now = await look_up(app.id)
    assert now is not None
    assert len(now.secrets) == 2 and app.secrets[0].digest not in [each.digest for each in now.secrets]


async def test_who_was_taken_off_the_list_meanwhile_stays_off(
    server: AuthorizationServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = (await clients.register(server, OWNER, FORM)).client
    await clients.add_tester(server, OWNER, app.id, "dre")
    look_up = server.store.account_named

    async def late(canonical: str) -> Account | None:
        monkeypatch.undo()
        await clients.remove_tester(server, OWNER, app.id, LEAVER.id)
        return await look_up(canonical)

    monkeypatch.setattr(server.store, "account_named", late)
    changed = await clients.add_tester(server, OWNER, app.id, "snoop")
    assert changed.testers == (TESTER.id,)


async def test_what_was_taken_back_meanwhile_stays_taken_back(server: AuthorizationServer) -> None:
    """Somebody saves the settings of an app, read before all that it got by exchange was taken back from it."""
    app = (await clients.register(server, OWNER, FORM)).client
    form = clients.form_of(app)
    over = replace(app.registered, exchanged_after=NOW)
    await server.store.apply((Save(replace(app, version=app.version + 1, registered=over)),))
    assert (await clients.edit(server, OWNER, app.id, form)).registered.exchanged_after == NOW
