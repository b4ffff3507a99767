"""`valetkey db`: bring the database to the schema this program knows, say what is missing, make it small."""

import asyncio

import click

from valetkey.cli.terminal import Refused, Terminal, plainly, shared, without_password


@click.group()
def db() -> None:
    """The database."""


@db.command("migrate")
@shared
def migrate(terminal: Terminal) -> None:
    """Take the steps that are missing; safe to run while servers run."""
    from valetkey.store import migrate as steps

    url = terminal.settings().database
    taken = plainly(lambda: asyncio.run(steps.migrate(url)))
    terminal.show({"taken": taken}, *[f"taken: {name}" for name in taken], *["up to date"] * (not taken))


@db.command("check")
@shared
def check(terminal: Terminal) -> None:
    """Whether the database can be reached and is up to date; changes nothing."""
    from valetkey.store import migrate as steps

    url = terminal.settings().database
    missing = plainly(lambda: asyncio.run(steps.pending(url)))
    terminal.show({"database": without_password(url), "missing": missing}, *["up to date"] * (not missing))
    if missing:
        raise Refused(*[f"missing: {name}" for name in missing], "database: run valetkey db migrate")


@db.command("compact")
@shared
def compact(terminal: Terminal) -> None:
    """Give unused space back at once; on SQLite, stop the servers first."""
    from valetkey.store import compact as space

    url = terminal.settings().database
    before, after = plainly(lambda: asyncio.run(space.compact(url)))
    terminal.show(
        {"before": before, "after": after}, f"{before / 1e6:,.1f} MB before, {after / 1e6:,.1f} MB after"
    )
