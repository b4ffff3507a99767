"""What an operator does with the keys: rotate before the time, retire one, seal all anew, give up what is lost."""

from collections.abc import Sequence

from msgspec.structs import replace

from valetkey.protocol.changes import Changes, Save
from valetkey.protocol.rules import rotation
from valetkey.protocol.rules.rotation import SECRET, Due
from valetkey.protocol.sealed_key import SealedKey
from valetkey.server.keys import Keys, about
from valetkey.server.master import HOW, OPEN, Master
from valetkey.server.problems import NotFound, Problems

SEEN = 60  # seconds until every worker has looked for new keys, twice (housekeeping.EVERY)


async def rotate(keys: Keys, alg: str, at_once: bool) -> SealedKey:
    """Let a new key follow now: shown for as long as others keep our keys, then used; or as soon as all our own
    workers have seen it. Raises Problems, NotFound."""
    master_of(keys)
    if alg not in keys.schedule.algorithms:
        raise Problems(
            keys=f"sign with {', '.join(keys.schedule.algorithms)} (keys.algorithms), not with {alg}"
        )
    now = keys.clock()
    start = now + (SEEN if at_once else keys.schedule.lead)
    last = rotation.newest(keys.kept, alg)
    if last is not None and last.active_from > now:
        if last.active_from <= start:
            raise Problems(keys=f"have a successor already, {last.id}, which signs from its time on")
        changes: Changes = forward(keys, last, start)
    else:
        changes = await keys.written(Due(alg, last, start))
    await keys.store.apply(changes)
    keys.take(await keys.store.keys())
    found = rotation.newest(keys.kept, alg)
    assert found is not None, "it was just made"
    return found


def forward(keys: Keys, waiting: SealedKey, start: int) -> Changes:
    """A key that is shown already signs sooner, and the one before it ends then."""
    before = [key for key in keys.kept if key.id == waiting.follows]
    ends = tuple(Save(rotation.ended(key, start, keys.schedule)) for key in before)
    return (Save(rotation.brought_forward(waiting, start)), *ends)


async def retire(keys: Keys, kid: str, leaked: bool) -> SealedKey:
    """A key signs no more as soon as all workers have seen another; what it signed stays good until it expires. One
    that leaked is good for nothing from now on. Raises NotFound."""
    master_of(keys)
    now = keys.clock()
    key = next((key for key in keys.kept if key.id == kid and key.alg != SECRET), None)
    if key is None:
        raise NotFound(f"key: {kid} is not there")
    start = now if leaked else now + SEEN
    ended = rotation.leaked(key, now) if leaked else rotation.ended(key, start, keys.schedule)
    changes: Changes = (Save(ended),)
    last = rotation.newest(keys.kept, key.alg)
    if last is not None and last.follows == kid and last.active_from > start:
        changes += (Save(rotation.brought_forward(last, start)),)
    elif last is key and key.alg in keys.schedule.algorithms:
        start = max(start, key.active_from)  # the key before one that waits goes on until then
        changes += (await keys.written(Due(key.alg, key, start)))[:1]
    await keys.store.apply(changes)
    keys.take(await keys.store.keys())
    return ended


async def rewrap(keys: Keys) -> int:
    """Seal all keys under the first master key; returns how many were not. Raises Conflict, NotFound."""
    master = master_of(keys)
    first = Master(master.keys[:1], master.source)
    changes: Changes = ()
    for key in keys.kept:
        what = about(key.id, key.alg, key.public)
        if key.sealed[:1] != OPEN and first.opened(key.sealed, what) is None:
            plain = master.opened(key.sealed, what)
            if plain is not None:  # what is gone need not open
                sealed = first.seal(plain, what, keys.mint.entropy)
                changes += (Save(replace(key, sealed=sealed, version=key.version + 1)),)
    await keys.store.apply(changes)
    keys.take(await keys.store.keys())
    return len(changes)


async def lost(keys: Keys) -> list[SealedKey]:
    """The keys that do not open, for their master key is lost; another is found or made. Raises NotFound,
    MasterKeyError."""
    found = await keys.store.keys()
    keys.find_master(())
    master_of(keys)
    return keys.take(found)


async def give_up(keys: Keys, those: Sequence[SealedKey]) -> None:
    """Others take the place of keys that do not open, and what these signed is good for nobody. Raises Conflict."""
    changes: Changes = ()
    for key in those:
        if key.alg == SECRET:
            changes += keys.secret_anew(Due(SECRET, key, keys.clock()))
        else:
            changes += (Save(rotation.leaked(key, key.created_at)),)
    await keys.store.apply(changes)
    await keys.tend()


def master_of(keys: Keys) -> Master:
    """The master key, without which there are no key pairs. Raises NotFound."""
    if keys.master is None:
        raise NotFound(f"keys: no master key is given; {HOW}")
    return keys.master
