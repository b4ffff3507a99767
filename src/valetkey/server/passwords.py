"""Passwords: argon2id in a bounded pool of threads, and which passwords people may choose (NIST SP 800-63B-4 3.1.1)."""

import asyncio
import os
import re
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

LONGEST_BYTES = 1000
T = TypeVar("T")


class HashQueueFull(Exception):
    """So many logins wait that another one would only wait longer; the caller answers 503."""


class Passwords:
    """Hashes and verifies; at most `threads` at a time and `queue` waiting, 19 MiB each (OWASP's first choice)."""

    def __init__(self, threads: int = 0, queue: int = 200) -> None:
        self.hasher = PasswordHasher(time_cost=2, memory_cost=19456, parallelism=1)
        threads = threads or cores()
        self.pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self.most = threads + queue
        self.waiting = 0
        self.nobody: str | None = None

    async def hash(self, password: str) -> str:
        """The encoded argon2id string of a password."""
        return await self.in_pool(self.hash_now, password)

    def hash_now(self, password: str) -> str:
        """The same, on this thread."""
        return self.hasher.hash(normal(password))

    async def verify(self, encoded: str | None, password: str) -> bool:
        """Whether the password is the one encoded. With None the same work is done for nobody, and the answer is no."""
        return await self.in_pool(self.verify_now, encoded, password)

    def verify_now(self, encoded: str | None, password: str) -> bool:
        """The same, on this thread."""
        if self.nobody is None:  # the first to log in pays for it, whoever it is, so that it tells nothing
            self.nobody = self.hasher.hash("nobody has this password")
        try:
            self.hasher.verify(encoded or self.nobody, normal(password))
            return encoded is not None
        except (VerificationError, InvalidHashError):
            return False

    async def in_pool(self, work: Callable[..., T], *args: object) -> T:
        """Run the work on a thread. Raises HashQueueFull."""
        if self.waiting >= self.most:
            raise HashQueueFull
        self.waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self.pool, work, *args)
        finally:
            self.waiting -= 1

    def close(self) -> None:
        """Let the threads end."""
        self.pool.shutdown(wait=False, cancel_futures=True)


def cores() -> int:
    """How many cores this process may use; more threads than that only wait for one another."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def normal(password: str) -> str:
    """One spelling for all keyboards (NFKC; NIST SP 800-63B-4 3.1.1.2)."""
    return unicodedata.normalize("NFKC", password)


def why_not(password: str, shortest: int, context: tuple[str, ...]) -> str | None:
    """What is wrong with choosing this password, in plain words; None when nothing is.

    context: words an attacker tries first: the username, the e-mail address, the platform's name.
    """
    plain = normal(password)
    if len(password.encode()) > LONGEST_BYTES:
        return "is longer than 1,000 bytes"
    if len(plain) < shortest:
        return f"is shorter than {shortest} characters; a few words in a row are easy to remember"
    folded = plain.casefold()
    for word in context:
        if len(word) > 3 and len(folded.replace(word.casefold(), "")) < shortest * 2 // 3:
            return "is too close to your own name or the name of this site"
    words = re.findall(r"\w+", folded)
    if len(set(folded)) < 5 or (
        len(words) > len(set(words)) and sum(map(len, set(words))) < shortest * 2 // 3
    ):
        return "repeats the same few characters or words"
    if folded in common_passwords():
        return "is among the passwords that attackers try first"
    return None


@cache
def common_passwords() -> frozenset[str]:
    """The most used passwords, out of a well-kept list; read when the first one is chosen."""
    from zxcvbn.frequency_lists import FREQUENCY_LISTS

    return frozenset(FREQUENCY_LISTS["passwords"])
