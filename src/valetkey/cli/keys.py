"""`valetkey keys`: what the server signs with, and the master key that seals it."""

import os
from typing import TYPE_CHECKING, Any

import click

from valetkey.cli.terminal import Act, T, Terminal, moment, shared, table

if TYPE_CHECKING:
    from valetkey.protocol.sealed_key import SealedKey
    from valetkey.server.authorization_server import AuthorizationServer


@click.group()
def keys() -> None:
    """The server's own keys. They are made and followed by others by themselves."""


def opened(terminal: Terminal, work: Act[T]) -> T:
    """Do the work on a server whose keys are open. Raises Refused."""

    async def with_keys(server: "AuthorizationServer") -> T:
        await server.keys.open()
        return await work(server)

    return terminal.act(with_keys)


@keys.command("list")
@shared
def list_keys(terminal: Terminal) -> None:
    """Every key pair: what it does now, and from when to when it signs."""

    async def work(server: "AuthorizationServer") -> list[dict[str, Any]]:
        from valetkey.protocol.rules import rotation

        now = server.clock()
        return [described(key, now) for key in rotation.shown(server.keys.kept, now)]

    found = opened(terminal, work)
    rows: list[tuple[str, ...]] = [("kid", "alg", "", "signs from", "to", "shown until")]
    rows += [
        (key["kid"], key["alg"], key["state"], *(moment(key[when]) for when in ("from", "to", "until")))
        for key in found
    ]
    terminal.show(found, *table(rows))


@keys.command("rotate")
@click.option("--alg", metavar="ALG", help="Default: the first of keys.algorithms.")
@click.option(
    "--at-once", is_flag=True, help="Sign with it in a minute, though others may not have seen it by then."
)
@shared
def rotate(terminal: Terminal, alg: str | None, at_once: bool) -> None:
    """Let a new key follow now: it is shown for the time of keys.lead, then it signs."""

    async def work(server: "AuthorizationServer") -> dict[str, Any]:
        from valetkey.server import key_ring

        key = await key_ring.rotate(server.keys, alg or server.keys.schedule.algorithms[0], at_once)
        return described(key, server.clock())

    key = opened(terminal, work)
    terminal.show(key, f"{key['kid']} {key['state']}, from {moment(key['from'])}")


@keys.command("retire")
@click.argument("kid")
@click.option(
    "--leaked", is_flag=True, help="Show it no more: what it signed is good for nobody from now on."
)
@shared
def retire(terminal: Terminal, kid: str, leaked: bool) -> None:
    """Let a key sign no more; another takes its place in a minute. What it signed stays good until it expires."""

    async def work(server: "AuthorizationServer") -> dict[str, Any]:
        from valetkey.server import key_ring

        return described(await key_ring.retire(server.keys, kid, leaked), server.clock())

    key = opened(terminal, work)
    when = {"signs": f", until {moment(key['to'])}", "retired": f", shown until {moment(key['until'])}"}
    terminal.show(key, f"{kid} {key['state']}{when.get(key['state'], '')}")


@keys.command("master")
@shared
def master(terminal: Terminal) -> None:
    """Print a new master key, for a file that only the server reads (keys.master_file). Keep a copy of it."""
    from valetkey.server.mint import Mint

    word = Mint(os.urandom).master_key()
    terminal.show({"master": word}, word)


@keys.command("rewrap")
@shared
def rewrap(terminal: Terminal) -> None:
    """Seal all keys anew, under the first of several master keys."""

    async def work(server: "AuthorizationServer") -> int:
        from valetkey.server import key_ring

        return await key_ring.rewrap(server.keys)

    count = opened(terminal, work)
    terminal.show({"sealed": count}, f"sealed anew: {count}")


@keys.command("give-up")
@click.option("--yes", is_flag=True, help="Do not ask.")
@shared
def give_up(terminal: Terminal, yes: bool) -> None:
    """The master key is lost: make others in place of the keys that it sealed."""
    from valetkey.server import key_ring

    async def work(server: "AuthorizationServer") -> int:
        lost = await key_ring.lost(server.keys)
        if lost and not yes:
            question = f"Give up {len(lost)} keys? All JWTs that they signed are good for nobody any more."
            click.confirm(question, abort=True, err=True)
        await key_ring.give_up(server.keys, lost)
        return len(lost)

    count = terminal.act(work)
    terminal.show({"given_up": count}, f"given up: {count}")


def described(key: "SealedKey", now: int) -> dict[str, Any]:
    """A key as we tell of it."""
    state = "signs"
    if key.gone_at is not None and key.gone_at <= now:
        state = "gone"
    elif key.retires_at is not None and key.retires_at <= now:
        state = "retired"
    elif key.active_from > now:
        state = "waits"
    return {
        "kid": key.id,
        "alg": key.alg,
        "state": state,
        "from": key.active_from,
        "to": key.retires_at,
        "until": key.gone_at,
    }
