"""`valetkey registration-tokens`: made, shown once, listed by their ends, taken back."""

from tests.cli.acting import on_server
from tests.cli.conftest import Shell
from valetkey.protocol.registration_token import RegistrationToken
from valetkey.protocol.rules.digest import digest
from valetkey.server.authorization_server import AuthorizationServer


def kept(shell: Shell) -> list[RegistrationToken]:
    async def ask(server: AuthorizationServer) -> list[RegistrationToken]:
        return await server.store.registration_tokens()

    return on_server(shell, ask)


def test_a_token_is_shown_once_and_kept_as_a_digest(shell: Shell) -> None:
    said = shell("registration-tokens", "add", "--uses", "3", "--days", "2", "--json")
    assert said.code == 0 and "registration.mode is off" in said.err
    token = said.json["registration_token"]
    [found] = kept(shell)
    assert token.startswith("vk_ia_") and found.digest == digest(token)
    assert (found.uses, found.expires_at - found.created_at) == (3, 2 * 86400)
    listed = shell("registration-tokens", "list")
    assert token not in listed.out and token[-4:] in listed.out
    assert shell("registration-tokens", "list", "--json").json == [
        {name: value for name, value in said.json.items() if name != "registration_token"}
    ]


def test_in_words_with_registration_open(shell: Shell) -> None:
    said = shell("registration-tokens", "add", VALETKEY_REGISTRATION_MODE="token")
    assert said.err == "" and said.out.endswith("(shown this once)\n")
    [found] = kept(shell)
    assert (found.uses, found.expires_at - found.created_at) == (1, 7 * 86400)


def test_a_token_is_taken_back(shell: Shell) -> None:
    ends = [shell("registration-tokens", "add", "--json").json["ends_with"] for _ in range(2)]
    assert shell("registration-tokens", "remove", ends[0]).code == 0
    assert [each.hint for each in kept(shell)] == ends[1:]
    again = shell("registration-tokens", "remove", ends[0])
    assert (again.code, again.err) == (1, f"ends_with: no token ends with {ends[0]!r}\n")


def test_a_number_that_makes_no_sense(shell: Shell) -> None:
    for wrong in (("--uses", "0"), ("--days", "0"), ("--uses", "x")):
        assert shell("registration-tokens", "add", *wrong).code == 2
