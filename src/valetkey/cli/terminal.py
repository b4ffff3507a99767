"""What every command shares: where the settings are, a server to act on, and one way to speak."""

import asyncio
import json
import re
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from valetkey.server.authorization_server import AuthorizationServer
    from valetkey.settings import Settings

T = TypeVar("T")
Act = Callable[["AuthorizationServer"], Awaitable[T]]
PASSWORD_IN_URL = re.compile(r"(://[^:/@\s]*):\S*@|([?&][^=&\s]*pass[^=&\s]*)=[^&\s]*")


class Refused(click.ClickException):
    """It cannot be done; the lines say why, each "field: words"."""

    exit_code: int  # type: ignore[misc]

    def __init__(self, *lines: str, exit_code: int = 1) -> None:
        super().__init__("\n".join(without_password(line) for line in lines))
        self.exit_code = exit_code

    def show(self, file: Any = None) -> None:
        """The lines, on stderr, and nothing around them."""
        click.echo(self.message, err=True)


@dataclass(frozen=True)
class Place:
    """What was said before the command: which database, which settings file."""

    database: str | None = None
    config: str | None = None


@dataclass(frozen=True)
class Terminal:
    """The settings that hold here, and whether to speak JSON."""

    place: Place
    as_json: bool = False

    def file(self) -> Path | None:
        """The file of settings that is named, or there."""
        from valetkey.settings import config_file

        return config_file(Path(self.place.config) if self.place.config else None)

    def settings(self, flags: Mapping[str, Any] | None = None) -> "Settings":
        """The settings: file, then environment, then flags. Raises Refused."""
        from valetkey.settings import SettingsError, load
        from valetkey.store.address import parse

        try:
            settings = load(self.file(), flags={"database": self.place.database, **(flags or {})})
        except SettingsError as error:
            raise Refused(str(error), exit_code=2) from None
        try:
            parse(settings.database)
        except ValueError as error:
            raise Refused(f"database: {error}", exit_code=2) from None
        return settings

    def act(self, work: Act[T], settings: "Settings | None" = None) -> T:
        """Open the server on its database, do the work, close it. Raises Refused."""
        from valetkey.settings import LogSettings
        from valetkey.web import logs

        settings = settings or self.settings()
        logs.configure(LogSettings(level="warning"))
        return plainly(lambda: asyncio.run(opened(settings, work)))

    def show(self, data: Any, *lines: str) -> None:
        """The answer of a command, on stdout."""
        if self.as_json:
            click.echo(json.dumps(data, ensure_ascii=False, indent=2 if sys.stdout.isatty() else None))
        else:
            for line in lines:
                click.echo(line)

    def note(self, line: str) -> None:
        """A word beside the answer, on stderr."""
        click.echo(line, err=True)


async def opened(settings: "Settings", work: Act[T]) -> T:
    """Do the work on a server that is open."""
    from valetkey.server.authorization_server import assemble

    server = assemble(settings)
    await server.store.open()  # what signs is only opened where it is needed
    try:
        return await work(server)
    finally:
        await server.close()


def plainly(work: Callable[[], T]) -> T:
    """Do the work; what goes wrong in it is said in one line. Raises Refused."""
    from valetkey.server.problems import MasterKeyError, NotFound, Problems
    from valetkey.store.base import Conflict, Unavailable

    try:
        return work()
    except Problems as problems:
        raise Refused(*(f"{field}: {words}" for field, words in problems.fields.items())) from None
    except NotFound as missing:
        raise Refused(str(missing) or "not found") from None
    except Unavailable as error:
        raise Refused(f"database: cannot be used: {error}") from None
    except MasterKeyError as error:
        raise Refused(f"keys: {error}") from None
    except Conflict:
        raise Refused("busy: somebody else is changing the same thing; try again") from None
    except ModuleNotFoundError as error:
        raise Refused(
            f"database: needs the package {error.name}; install valetkey[postgres]", exit_code=2
        ) from None


def shared(command: Callable[..., None]) -> Callable[..., None]:
    """Give a command --database, --config and --json, and a Terminal as its first argument."""

    def wrapped(context: click.Context, /, **given: Any) -> None:
        before = context.find_object(Place) or Place()
        database, file = given.pop("database"), given.pop("config_file")
        place = Place(database or before.database, file or before.config)
        command(Terminal(place, given.pop("as_json")), **given)

    wrapped.__doc__, wrapped.__name__ = command.__doc__, command.__name__
    options = (
        click.option("--database", metavar="URL", help="sqlite:///FILE or postgresql://..."),
        click.option("--config", "config_file", metavar="FILE", help="The settings file."),
        click.option("--json", "as_json", is_flag=True, help="Speak JSON."),
    )
    for option in reversed(options):
        wrapped = option(wrapped)
    return click.pass_context(wrapped)


def without_password(text: str) -> str:
    """Text in which no address of a database shows its password."""
    return PASSWORD_IN_URL.sub(lambda found: f"{found[1]}:***@" if found[1] else f"{found[2]}=***", text)


def table(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows as lines with their columns one under the other."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))] if rows else []
    return [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]


def moment(seconds: int | None) -> str:
    """A time for people, in UTC; "never" when there is none."""
    if seconds is None:
        return "never"
    from datetime import UTC, datetime

    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S")
