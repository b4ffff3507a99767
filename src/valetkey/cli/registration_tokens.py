"""`valetkey registration-tokens`: what lets apps register themselves, where not everybody may (RFC 7591 1.2)."""

from typing import TYPE_CHECKING, Any

import click

from valetkey.cli.terminal import Terminal, moment, shared, table

if TYPE_CHECKING:
    from valetkey.protocol.registration_token import RegistrationToken
    from valetkey.server.authorization_server import AuthorizationServer

DAY = 24 * 3600


@click.group("registration-tokens")
def registration_tokens() -> None:
    """Tokens that let apps register themselves."""


@registration_tokens.command("add")
@click.option("--uses", type=click.IntRange(1, 10**6), default=1, show_default=True, help="How many apps.")
@click.option("--days", type=click.IntRange(1, 3650), default=7, show_default=True, help="For how long.")
@shared
def add(terminal: Terminal, uses: int, days: int) -> None:
    """Make a token; it is shown this once."""

    async def work(server: "AuthorizationServer") -> "tuple[str, RegistrationToken]":
        from valetkey.protocol.changes import Save
        from valetkey.protocol.registration_token import RegistrationToken
        from valetkey.protocol.rules.digest import digest

        token, now = server.mint.registration_token("vk_ia_"), server.clock()
        made = RegistrationToken(digest(token), token[-4:], now, now + days * DAY, uses)
        await server.store.apply((Save(made),))
        return token, made

    settings = terminal.settings()
    token, made = terminal.act(work, settings)
    if settings.joining.mode == "off":
        terminal.note("note: registration.mode is off, so nobody can register yet")
    said = {"registration_token": token, **described(made)}
    terminal.show(said, f"registration_token  {token}  (shown this once)")


@registration_tokens.command("list")
@shared
def list_tokens(terminal: Terminal) -> None:
    """Every token that is not over."""

    async def work(server: "AuthorizationServer") -> "list[RegistrationToken]":
        now = server.clock()
        return [each for each in await server.store.registration_tokens() if each.expires_at > now]

    found = terminal.act(work)
    rows: list[tuple[str, ...]] = [("ends_with", "uses left", "made", "ends")]
    rows += [(each.hint, str(each.uses), moment(each.created_at), moment(each.expires_at)) for each in found]
    terminal.show([described(each) for each in found], *table(rows))


@registration_tokens.command("remove")
@click.argument("ends_with")
@shared
def remove(terminal: Terminal, ends_with: str) -> None:
    """Take a token back, named by its last four characters. Apps that it let in stay."""

    async def work(server: "AuthorizationServer") -> None:
        from valetkey.protocol.changes import Discard
        from valetkey.server.problems import NotFound

        found = [each for each in await server.store.registration_tokens() if each.hint == ends_with]
        if not found:
            raise NotFound(f"ends_with: no token ends with {ends_with!r}")
        await server.store.apply(tuple(Discard(each.digest) for each in found))

    terminal.act(work)
    terminal.show({"ends_with": ends_with, "removed": True}, f"removed {ends_with}")


def described(token: "RegistrationToken") -> dict[str, Any]:
    """A token as JSON says it; of itself only what helps to tell it apart."""
    return {
        "ends_with": token.hint,
        "uses": token.uses,
        "created_at": token.created_at,
        "expires_at": token.expires_at,
    }
