"""The listening socket in its last moment: whoever would knock waits outside, so that nobody is let in and cut off.

A connection that the kernel has accepted and we have not is reset when we stop listening, and a proxy that had sent its
POST by then may not send it again. While the door is shut the kernel drops each first packet (SYN): the peer finds out
that nobody is there before it has said anything, and a proxy goes elsewhere.
"""

import socket
import struct
import sys
from array import array
from contextlib import suppress

ATTACH, DETACH = 26, 27  # SO_ATTACH_FILTER, SO_DETACH_FILTER (Linux)
FLAGS, SYN = 13, 2  # where in a TCP header, and which bit (RFC 9293 3.1)
LOAD_BYTE, IF_SET, RETURN = 0x30, 0x45, 0x06  # classic BPF
DROP_FIRST_PACKETS = (
    (LOAD_BYTE, 0, 0, FLAGS),
    (IF_SET, 0, 1, SYN),
    (RETURN, 0, 0, 0),
    (RETURN, 0, 0, 0xFFFFFFFF),
)


def shut(listening: socket.socket) -> None:
    """Nobody new; whoever is on the threshold still gets in. Elsewhere than on Linux the door stays open."""
    program = array("B", b"".join(struct.pack("HBBI", *step) for step in DROP_FIRST_PACKETS))
    if sys.platform == "linux":
        with suppress(OSError):
            given = struct.pack("HP", len(DROP_FIRST_PACKETS), program.buffer_info()[0])
            listening.setsockopt(socket.SOL_SOCKET, ATTACH, given)


def open_again(listening: socket.socket) -> None:
    """Somebody serves on the socket that another process has shut."""
    if sys.platform == "linux":
        with suppress(OSError):
            listening.setsockopt(socket.SOL_SOCKET, DETACH, 0)
