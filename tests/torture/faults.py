"""Faults of disk and clock under a running server: builds faults.c, and turns its switch."""

import mmap
import struct
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_name("faults.c")
WRITES = {
    "the disk is full": "F",
    "the disk is read-only": "R",
    "writing is an I/O error": "I",
    "a write stops half-way": "S",
    "fsync fails": "Y",
}
READS = {"reading is an I/O error": "X"}


class Faults:
    """The switch of one server; `environment` goes to its process."""

    def __init__(self, place: Path, under: Path) -> None:
        library, switch = place / "faults.so", place / "switch"
        flags = ("-shared", "-fPIC", "-O2", "-Wall", "-Werror")
        command = ["cc", *flags, "-o", library, SOURCE, "-ldl"]
        subprocess.run(command, check=True)
        switch.write_bytes(bytes(4096))
        with switch.open("r+b") as file:
            self.page = mmap.mmap(file.fileno(), 4096)
        self.ahead = 0
        self.environment = {
            "LD_PRELOAD": str(library),
            "VALETKEY_FAULTS": str(switch),
            "VALETKEY_FAULTS_UNDER": str(under),
        }

    @contextmanager
    def on(self, letter: str, percent: int = 100) -> Iterator[None]:
        """The fault lasts while the context is open."""
        self.page[0:8] = struct.pack("=ii", ord(letter), percent)
        try:
            yield
        finally:
            self.page[0:8] = bytes(8)

    def shift(self, seconds: int) -> None:
        """The wall clock is so many seconds ahead of the true time."""
        self.ahead = seconds
        self.page[8:16] = struct.pack("=q", seconds)
