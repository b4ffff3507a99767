"""A word to systemd, if it started us and wants to know (sd_notify(3))."""

import os
import socket
from contextlib import suppress


def notify(*lines: str) -> None:
    """Say how we are: READY=1, RELOADING=1, STOPPING=1."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if where.startswith(("/", "@")):
        with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
            out.connect(where.replace("@", "\0", 1) if where.startswith("@") else where)
            out.send("\n".join(lines).encode())
