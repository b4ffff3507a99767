"""The master key: where it comes from, and what is sealed under it (AES-256-GCM, NIST SP 800-38D)."""

import base64
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from valetkey.protocol.rules.checksum import checksummed
from valetkey.server.mint import Entropy
from valetkey.server.problems import MasterKeyError
from valetkey.settings import Settings
from valetkey.store.address import parse

VARIABLE = "VALETKEY_KEYS_MASTER"
CREDENTIAL = "valetkey-master"
BESIDE = ".master"
OPEN, SEALED = b"\0", b"\1"
NONCE = 12
PREFIX, LENGTH = "vk_mk_", 55
HOW = "type `valetkey keys master > FILE` and set keys.master_file to it"
LOST = "put it back, or, if it is lost, see `valetkey keys give-up`"


@dataclass(frozen=True, slots=True)
class Master:
    """Seals under its first key; what was sealed under another of them opens as well."""

    keys: tuple[bytes, ...]
    source: str

    def seal(self, plain: bytes, about: str, entropy: Entropy) -> bytes:
        """The secret, readable with this key alone and for what it is about alone."""
        nonce = entropy(NONCE)
        return SEALED + nonce + AESGCM(self.keys[0]).encrypt(nonce, plain, about.encode())

    def opened(self, sealed: bytes, about: str) -> bytes | None:
        """The secret; None if it was sealed under another key, or for something else."""
        nonce, data = sealed[1 : 1 + NONCE], sealed[1 + NONCE :]
        for key in self.keys:
            with suppress(InvalidTag, ValueError):
                return AESGCM(key).decrypt(nonce, data, about.encode())
        return None


def read(text: str, source: str) -> Master:
    """The master keys out of what `valetkey keys master` printed: one, or several with space between. Raises."""
    words = text.split()
    if not words:
        raise MasterKeyError(f"{source} is empty; {HOW}")
    return Master(tuple(key_of(word, source) for word in words), source)


def key_of(word: str, source: str) -> bytes:
    """The 32 bytes of one master key. Raises MasterKeyError."""
    plain = word.isascii() and word.startswith(PREFIX) and len(word) == LENGTH
    if not plain or checksummed(word[:-6]) != word:
        raise MasterKeyError(f"{source} does not hold what `valetkey keys master` prints")
    return base64.urlsafe_b64decode(word[len(PREFIX) : -6] + "=")


def given(settings: Settings, environment: Mapping[str, str]) -> Master | None:
    """The master key that the operator gave: environment, systemd's credential, file. Raises MasterKeyError."""
    if environment.get(VARIABLE):
        return read(environment[VARIABLE], VARIABLE)
    credential = Path(environment.get("CREDENTIALS_DIRECTORY") or "/nonexistent") / CREDENTIAL
    if credential.exists():
        return from_file(credential)
    if settings.keys.master_file:
        return from_file(Path(settings.keys.master_file))
    beside = beside_database(settings)
    return from_file(beside) if beside is not None and beside.exists() else None


def from_file(file: Path) -> Master:
    """The master key in a file. Raises MasterKeyError."""
    try:
        return read(file.read_text("utf-8"), str(file))
    except (OSError, UnicodeDecodeError) as error:
        raise MasterKeyError(f"{file} cannot be read: {getattr(error, 'strerror', '') or error}") from None


def beside_database(settings: Settings) -> Path | None:
    """Where the master key of an SQLite database is made when nobody gave one."""
    address = parse(settings.database)
    return Path(address.place + BESIDE) if address.engine == "sqlite" else None


def made(file: Path, word: str) -> Master:
    """A new master key in a file that only we can read; where somebody else was faster, theirs. Raises."""
    try:
        handle, draft = tempfile.mkstemp(prefix=file.name, dir=file.parent)  # with mode 0600
        try:
            with os.fdopen(handle, "w") as writing:
                writing.write(word + "\n")
                writing.flush()
                os.fsync(writing.fileno())  # a database whose master key is lost is shut for ever
            with suppress(FileExistsError):
                os.link(draft, file)
        finally:
            os.unlink(draft)
        folder = os.open(file.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    except OSError as error:
        raise MasterKeyError(f"{file} cannot be made: {error.strerror or error}; {HOW}") from None
    return from_file(file)
