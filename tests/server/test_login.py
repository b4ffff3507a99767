"""Who logs in while their account is changed; who is logged in stays so while the database takes no writes."""

import os

import pytest

from valetkey.protocol.changes import Save
from valetkey.protocol.model import Account
from valetkey.server import accounts, login
from valetkey.server.authorization_server import assemble
from valetkey.settings import Settings
from valetkey.store import Conflict, Unavailable, open_store

NOW = 1_800_000_000


async def test_who_only_changes_their_profile_meanwhile_is_let_in(monkeypatch: pytest.MonkeyPatch):
    server = assemble(Settings(database="memory://"), open_store("memory://"), lambda: NOW, os.urandom)
    form = accounts.SignUp("snoop", "Snoop Dogg", "snoop@mail.example", "gin and juice, laid back")
    snoop = await accounts.sign_up(server, form)
    verify = server.passwords.verify

    async def slow(encoded: str | None, password: str) -> bool:
        await accounts.edit_profile(server, snoop, accounts.ProfileForm("Snoop Lion", form.email, "", ""))
        return await verify(encoded, password)

    monkeypatch.setattr(server.passwords, "verify", slow)
    done = await login.log_in(server, login.Attempt("snoop", form.password, "192.0.2.7"))
    assert isinstance(done, login.LoggedIn)
    found = await login.signed_in(server, done.token)
    assert found is not None and found.account.full_name == "Snoop Lion"


async def test_an_account_that_changes_all_the_time_is_told_to_wait(monkeypatch: pytest.MonkeyPatch):
    server = assemble(Settings(database="memory://"), open_store("memory://"), lambda: NOW, os.urandom)
    form = accounts.SignUp("snoop", "Snoop Dogg", "snoop@mail.example", "gin and juice, laid back")
    await accounts.sign_up(server, form)

    async def changed(changes: object) -> None:
        raise Conflict

    monkeypatch.setattr(server.store, "apply", changed)
    with pytest.raises(Conflict):
        await login.log_in(server, login.Attempt("snoop", form.password, "192.0.2.7"))


async def test_who_is_logged_in_reads_on_while_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch):
    times = [NOW]
    server = assemble(Settings(database="memory://"), open_store("memory://"), lambda: times[-1], os.urandom)
    snoop = Account(1, "snoop", "snoop", "Snoop Dogg", "snoop@mail.example", "argon2", NOW)
    await server.store.apply((Save(snoop),))
    token = await login.open_session(server, snoop, login.Attempt("snoop", "", "192.0.2.7"), None)
    times.append(NOW + server.settings.session.idle // 2)  # its end would be moved

    async def nothing(changes: object) -> None:
        raise Unavailable("the disk is full")

    with monkeypatch.context() as full:
        full.setattr(server.store, "apply", nothing)
        found = await login.signed_in(server, token)
        assert found is not None
        assert (found.account, found.session.last_seen_at) == (snoop, NOW)
    assert await login.signed_in(server, token) is not None
    again = await login.signed_in(server, token)
    assert again is not None
    assert again.session.last_seen_at == times[-1]
