"""The server's own keys: sealed in the store, the same for all workers, followed by others in time (RFC 7517, 7515)."""

import asyncio
import hashlib
import os
from collections.abc import Sequence

import msgspec
import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand
from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.changes import Changes, Save
from valetkey.protocol.profiles import PROFILES
from valetkey.protocol.rules import base64url, rotation
from valetkey.protocol.rules.rotation import SECRET, Due, Schedule
from valetkey.protocol.sealed_key import SealedKey
from valetkey.server import key_pairs, master
from valetkey.server.clock import Clock
from valetkey.server.key_pairs import ALGORITHMS, Sign
from valetkey.server.master import OPEN, Master
from valetkey.server.mint import Mint
from valetkey.server.problems import MasterKeyError
from valetkey.settings import MOST_CACHED, Settings
from valetkey.store.base import Conflict, Store, Unavailable

LEASE = 60  # seconds that a worker has for making what is due
LONGEST = max(profile.token_lifetime or 0 for profile in PROFILES.values())
log = structlog.get_logger("valetkey.keys")


class Document(Struct, frozen=True):
    """A body that is the same for everybody, and the name of this version of it (RFC 9110 8.8.3)."""

    body: bytes
    etag: bytes


def document(tree: object) -> Document:
    """The tree as JSON."""
    body = msgspec.json.encode(tree)
    return Document(body, b'"' + hashlib.sha256(body).hexdigest()[:32].encode() + b'"')


class Keys:
    """What this process knows of the keys. `open` it once, and `tend` it every half a minute."""

    def __init__(
        self, settings: Settings, store: Store, clock: Clock, mint: Mint, given: Master | None = None
    ) -> None:
        self.settings, self.store, self.clock, self.mint, self.master = settings, store, clock, mint, given
        said = settings.keys
        self.schedule = Schedule(said.algorithms, said.lifetime, said.lead, LONGEST + MOST_CACHED)
        self.kept: list[SealedKey] = []
        self.signers: dict[tuple[str, str], Sign] = {}
        self.secret: bytes | None = None
        self.derived: dict[bytes, bytes] = {}  # purposes are few
        self.jwks_of: tuple[tuple[str, ...], Document] = ((), document({"keys": []}))

    # --- what is there ------------------------------------------------------------------------------------------------

    async def open(self) -> None:
        """Find the master key, read the keys, make the first ones. Raises MasterKeyError, Unavailable."""
        if unknown := [alg for alg in self.schedule.algorithms if alg not in ALGORITHMS]:
            raise MasterKeyError(f"{unknown[0]} is no algorithm of ours; there are {', '.join(ALGORITHMS)}")
        found = await self.store.keys()
        self.find_master(found)
        if self.master is None and any(each.token_format == "jwt" for each in self.settings.resources):
            raise MasterKeyError(
                f"no master key is given, and there are resources whose tokens are JWTs; {master.HOW}"
            )
        if strangers := self.take(found):
            raise MasterKeyError(self.why_shut(strangers[0]))
        try:
            await self.tend()
        except Unavailable as error:  # what was there can be read, and the next round tries again
            log.warning("keys_not_made", why=str(error))

    def find_master(self, found: Sequence[SealedKey]) -> None:
        """The operator's master key, or one of our own. Raises MasterKeyError."""
        if self.master is None:
            self.master = master.given(self.settings, os.environ) or self.own_master(found)

    def own_master(self, found: Sequence[SealedKey]) -> Master | None:
        """The master key where the operator gave none: beside an SQLite database, or of this process."""
        if self.settings.database.startswith("memory:"):
            return MEMORY
        file = master.beside_database(self.settings)
        if file is None or any(key.sealed[:1] != OPEN for key in found):
            return None  # a new one would open nothing
        return master.made(file, self.mint.master_key())

    def why_shut(self, key: SealedKey) -> str:
        """What to say of a key that does not open."""
        if self.master is not None:
            return f"the keys in the database are sealed under another master key than that of {self.master.source}"
        file = master.beside_database(self.settings)
        where = f"{file}, where it was made, is gone" if file else "none is given"
        return f"the keys in the database are sealed under a master key, and {where}; {master.LOST}"

    def take(self, found: Sequence[SealedKey]) -> list[SealedKey]:
        """Hold the keys that open, or are gone and need not, and return those that do not open: nobody is shown what we
        cannot vouch for."""
        kept, strangers, now = list[SealedKey](), list[SealedKey](), self.clock()
        for key in found:
            over = key.gone_at is not None and key.gone_at <= now
            (kept if over or self.unsealed(key) else strangers).append(key)
        self.kept = kept
        pairs = [(key.id, key.public) for key in kept]
        self.signers = {pair: self.signers[pair] for pair in pairs if pair in self.signers}
        return strangers

    def unsealed(self, key: SealedKey) -> bool:
        """Whether a key opens; then it can be used. One that did before need not do so again: its id is its digest."""
        if (key.id, key.public) in self.signers:
            return True
        plain = key.sealed[1:] if key.sealed[:1] == OPEN and key.alg == SECRET else None
        if plain is None and self.master is not None:
            plain = self.master.opened(key.sealed, about(key.id, key.alg, key.public))
        if plain is None:
            return False
        if key.alg == SECRET:
            if plain != self.secret:
                self.secret, self.derived = plain, {}
        else:
            self.signers[key.id, key.public] = key_pairs.signer(key.alg, plain)
        return True

    # --- what is due --------------------------------------------------------------------------------------------------

    async def tend(self, holder: str = "") -> None:
        """See what others changed and make what is due, `holder` only while nobody else does. Raises Unavailable."""
        now, strangers = self.clock(), self.take(await self.store.keys())
        for key in strangers:
            log.error("key_not_opened", kid=key.id)
        work = self.work(now)
        if not work or (holder and not await self.store.lease("keys", holder, now, LEASE)):
            return
        for each in work:
            try:
                await self.store.apply(await self.written(each))
            except Conflict:  # another was faster, and its key is as good
                continue
        self.take(await self.store.keys())

    def work(self, now: int) -> "list[Due | SealedKey]":
        """What is to be made, and what is to be written anew."""
        found: list[Due | SealedKey] = []
        secret = rotation.newest(self.kept, SECRET)
        if secret is None or (self.master is not None and secret.sealed[:1] == OPEN):
            found.append(Due(SECRET, secret, now))
        if self.master is not None:
            found += rotation.due(self.kept, self.schedule, now)
            found += rotation.outlived(self.kept, self.schedule, now)
        return found

    async def written(self, what: Due | SealedKey) -> Changes:
        """The changes that make a key, and end the one before."""
        if isinstance(what, SealedKey):
            return (Save(what),)
        if what.alg == SECRET:
            return self.secret_anew(what)
        kid, public, private = await asyncio.to_thread(key_pairs.make, what.alg)
        changes: Changes = (Save(self.sealed(SealedKey(kid, what.alg, public, private, *self.dates(what)))),)
        if what.before is None:
            return changes
        return (*changes, Save(rotation.ended(what.before, what.active_from, self.schedule)))

    def dates(self, what: Due) -> tuple[int, int, str]:
        """When a key is made, when it begins, and what it follows."""
        return self.clock(), what.active_from, what.follows

    def secret_anew(self, what: Due) -> Changes:
        """A new secret: the first, or one in place of another that lay open before there was a master key."""
        plain = self.mint.entropy(32)
        if what.before is not None:
            return (Save(self.sealed(replace(what.before, sealed=plain, version=what.before.version + 1))),)
        return (Save(self.sealed(SealedKey(self.mint.reference(), SECRET, "", plain, *self.dates(what)))),)

    def sealed(self, key: SealedKey) -> SealedKey:
        """The key with its private half sealed; without a master key only the secret is ever made."""
        if self.master is None:
            return replace(key, sealed=OPEN + key.sealed)
        what = about(key.id, key.alg, key.public)
        return replace(key, sealed=self.master.seal(key.sealed, what, self.mint.entropy))

    # --- what they are for --------------------------------------------------------------------------------------------

    @property
    def can_sign(self) -> bool:
        """Whether there is a master key, without which no key pair is made."""
        return self.master is not None

    def can_sign_with(self, algorithm: str) -> bool:
        """Whether there is a key of this algorithm, or any if none is named: one may have left the settings since."""
        named = (algorithm,) if algorithm else self.schedule.algorithms
        return rotation.signing(self.kept, named, self.clock()) is not None

    def sign(self, typ: str, claims: object, algorithms: Sequence[str] = ()) -> str:
        """A signed JWT (RFC 7519) of this type, by the first of these algorithms. Raises Unavailable."""
        key = rotation.signing(self.kept, algorithms or self.schedule.algorithms, self.clock())
        if key is None:
            raise Unavailable("there is no key to sign with")
        head = msgspec.json.encode({"alg": key.alg, "typ": typ, "kid": key.id})
        data = f"{base64url.encode(head)}.{base64url.encode(msgspec.json.encode(claims))}"
        return f"{data}.{base64url.encode(self.signers[key.id, key.public](data.encode()))}"

    def derive(self, purpose: bytes) -> bytes:
        """32 bytes that all workers and replicas share, for one purpose (HKDF, RFC 5869). Raises Unavailable."""
        if self.secret is None:
            raise Unavailable("there is no secret to derive from")
        found = self.derived.get(purpose)
        if found is None:
            found = self.derived[purpose] = HKDFExpand(SHA256(), 32, purpose).derive(self.secret)
        return found

    def jwks(self) -> Document:
        """The public halves of all that signs, will sign or has signed what still lives (RFC 7517 5)."""
        keys = rotation.shown(self.kept, self.clock())
        ids = tuple(key.id for key in keys)
        if ids != self.jwks_of[0]:
            self.jwks_of = ids, document({"keys": [msgspec.Raw(key.public.encode()) for key in keys]})
        return self.jwks_of[1]


def about(kid: str, alg: str, public: str) -> str:
    """What a seal is bound to: a public half that was changed in the database opens nothing."""
    return f"{kid} {alg} {public}"


# What is in memory is sealed under a key in the same memory; it is one for all servers over one store.
MEMORY = Master((os.urandom(32),), "this process")
