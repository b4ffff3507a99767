"""Rotation: which key signs now, which are shown, which is due (RFC 7517 5, RFC 8414 2 on `jwks_uri`)."""

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from valetkey.protocol.sealed_key import SealedKey

Keys = Sequence[SealedKey]
SECRET = "HKDF-SHA256"  # the alg of the one secret that is no pair


class Schedule(Struct, frozen=True):
    """What is wanted: the algorithms, the first one for whoever names none, and for how many seconds a key signs, is
    shown before it signs, and is shown after."""

    algorithms: tuple[str, ...]
    lifetime: int
    lead: int
    after: int


class Due(Struct, frozen=True):
    """A key to make: for which algorithm, behind which key, and when it begins to sign."""

    alg: str
    before: SealedKey | None
    active_from: int

    @property
    def follows(self) -> str:
        """What it follows; nobody else can follow the same."""
        return self.before.id if self.before else self.alg


def shown(keys: Keys, now: int) -> list[SealedKey]:
    """The keys that whoever checks a signature may need."""
    return [key for key in keys if key.alg != SECRET and (key.gone_at is None or key.gone_at > now)]


def signing(keys: Keys, algorithms: Sequence[str], now: int) -> SealedKey | None:
    """The key that signs now, of the first of these algorithms that has one.

    Where none has begun (the clock of the host that made it is ahead of ours), the one that begins first.
    """
    alive = [key for key in shown(keys, now) if key.retires_at is None or key.retires_at > now]
    for alg in algorithms:
        begun = [key for key in alive if key.alg == alg and key.active_from <= now]
        if begun:
            return max(begun, key=lambda key: (key.active_from, key.id))
    waiting = [key for key in alive if key.alg in algorithms]
    return min(waiting, key=lambda key: (algorithms.index(key.alg), key.active_from, key.id), default=None)


def newest(keys: Keys, alg: str) -> SealedKey | None:
    """The key of an algorithm that no other follows."""
    followed = {key.follows for key in keys}
    return next((key for key in keys if key.alg == alg and key.id not in followed), None)


def due(keys: Keys, schedule: Schedule, now: int) -> list[Due]:
    """The keys to make now: shown for `lead` seconds before they sign, unless there is nothing to sign with."""
    found = []
    start = now if signing(keys, schedule.algorithms, now) is None else now + schedule.lead
    for alg in schedule.algorithms:
        last = newest(keys, alg)
        if last is None or last.retires_at is not None:
            found.append(Due(alg, last, start))
        elif now >= last.active_from + schedule.lifetime - schedule.lead:
            found.append(Due(alg, last, now + schedule.lead))
    return found


def outlived(keys: Keys, schedule: Schedule, now: int) -> list[SealedKey]:
    """Keys of algorithms that are not wanted any more, each as it ends at its time: replicas whose settings differ for
    a while do not undo what the other does."""
    return [
        ended(key, key.active_from + schedule.lifetime, schedule)
        for key in keys
        if key.alg not in (SECRET, *schedule.algorithms)
        and key.retires_at is None
        and now >= key.active_from + schedule.lifetime
    ]


def ended(key: SealedKey, at: int, schedule: Schedule) -> SealedKey:
    """The key as it signs until `at`, and is shown until all it signed has expired; one that is gone stays so."""
    at = at if key.retires_at is None else min(at, key.retires_at)
    gone = at + schedule.after if key.gone_at is None else min(at + schedule.after, key.gone_at)
    return replace(key, retires_at=at, gone_at=gone, version=key.version + 1)


def leaked(key: SealedKey, now: int) -> SealedKey:
    """The key as nobody may trust it from now on."""
    return replace(key, retires_at=now, gone_at=now, version=key.version + 1)


def brought_forward(key: SealedKey, now: int) -> SealedKey:
    """The key as it signs from now on."""
    return replace(key, active_from=now, version=key.version + 1)
