"""`valetkey apps disable` and `enable`: any app of anybody, and of nobody."""

from msgspec.structs import replace

from tests.cli.acting import Granted, on_server
from tests.cli.conftest import Shell
from valetkey.protocol.changes import Save
from valetkey.protocol.model import NOBODY, Client
from valetkey.protocol.rules.digest import digest
from valetkey.server.authorization_server import AuthorizationServer


def test_an_app_is_shut_out_with_its_tokens_and_let_in_again(shell: Shell) -> None:
    granted = Granted(shell)
    app = granted.apps[0]

    async def alive(server: AuthorizationServer) -> list[bool]:
        facts = [await server.store.bearer_facts(digest(token)) for token in sorted(granted.everything())]
        return [known is not None and not known.ended(server.clock()) for known in facts]

    assert shell("apps", "disable", app, "--json").json == {"client_id": app, "disabled": True}
    assert on_server(shell, alive) == [False, True, False, True]
    assert shell("apps", "show", app, "--json").json["disabled"] is True
    assert [line.endswith("disabled") for line in shell("apps", "list").out.splitlines()].count(True) == 1
    said = shell("apps", "enable", app)
    assert (said.code, said.out) == (0, "An app is enabled\n")
    assert on_server(shell, alive) == [True] * 4


def test_an_app_of_nobody(shell: Shell) -> None:
    stranger = Client("https://agent.example/client.json", NOBODY, "Agent", "native", "mcp", (), 1)

    async def save(server: AuthorizationServer) -> None:
        await server.store.apply((Save(stranger),))

    async def found(server: AuthorizationServer) -> Client | None:
        return await server.store.client(stranger.id)

    on_server(shell, save)
    assert shell("apps", "disable", stranger.id).out == "Agent is disabled\n"
    off = on_server(shell, found)
    assert (
        off is not None
        and off.disabled_at
        and off == replace(stranger, version=2, disabled_at=off.disabled_at)
    )
    assert shell("apps", "list").code == 0 and shell("apps", "show", stranger.id).code == 0


def test_an_app_that_is_not_there(shell: Shell) -> None:
    for word in ("disable", "enable"):
        said = shell("apps", word, "unknown")
        assert (said.code, said.err) == (1, "client_id: there is no app 'unknown'\n")
