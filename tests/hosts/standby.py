"""A PostgreSQL and its streaming standby, to which every commit goes before it is acknowledged."""

import asyncio
import os
import signal
from contextlib import suppress
from pathlib import Path

from tests.throwaway_postgres import ThrowawayPostgres
from tests.waiting import becomes

PORT = 5433  # the standby's, as its socket is named; the primary's is PostgreSQL's own
IN_STEP = "SELECT count(*) FROM pg_stat_replication WHERE sync_state = 'sync'"


class Pair:
    def __init__(self) -> None:
        self.primary = ThrowawayPostgres()
        self.data = self.primary.place / "standby"

    async def follow(self) -> None:
        """Make the standby, and let the primary wait for it from now on."""
        run, place = self.primary._run, self.primary.place
        source = f"host={place} user=postgres"
        await asyncio.to_thread(run, "pg_basebackup", "-R", "-c", "fast", "-D", self.data, "-d", source)
        options = f"-c listen_addresses='' -c port={PORT} -k {place}"
        words = ("start", "-w", "-s", "-D", self.data, "-l", place / "standby.log", "-o", options)
        await asyncio.to_thread(run, "pg_ctl", *words)
        self.primary.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        self.primary.sql("SELECT pg_reload_conf()")
        await becomes(lambda: self.primary.sql(IN_STEP) == "1", "the standby is in step", 10)

    async def promote(self) -> None:
        await asyncio.to_thread(self.primary._run, "pg_ctl", "promote", "-w", "-s", "-D", self.data)

    def url(self, database: str) -> str:
        """Both hosts, as an operator names them."""
        place = self.primary.place
        return f"postgresql://postgres@/{database}?host={place},{place}&port=5432,{PORT}"

    def signal_primary(self, number: signal.Signals) -> None:
        """To the primary and all its processes: a machine that stands still does not close its connections."""
        postmaster = int((self.primary.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        for pid in (postmaster, *map(int, children)):
            with suppress(ProcessLookupError):
                os.kill(pid, number)

    def discard(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.primary._run("pg_ctl", "stop", "-s", "-m", "immediate", "-D", self.data)
        if (self.primary.data / "postmaster.pid").exists():
            self.signal_primary(signal.SIGCONT)
        self.primary.discard()
