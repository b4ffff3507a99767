"""Seals: who has the predecessor reads the answer, nobody else does, and it fits in no other place (C13, R8)."""

import os

import pytest
from cryptography.exceptions import InvalidTag
from msgspec.structs import replace

from valetkey.protocol.model import SealedSuccessor, Terms
from valetkey.protocol.profile import TokenAnswer
from valetkey.protocol.rules.digest import digest
from valetkey.server.mint import Mint
from valetkey.server.seal import Told, opened, sealed

NOW = 1_800_000_000
MINT = Mint(os.urandom)
OLD, NEW = MINT.refresh_token(NOW), MINT.refresh_token(NOW)
ANSWER = TokenAnswer("vk_at_access", ("basic", "likes"), 3600, refresh_token=NEW, details='[{"type":"a"}]')
TERMS = Terms(scope=("basic",))


def kept(answer: TokenAnswer = ANSWER, predecessor: str = OLD) -> SealedSuccessor:
    return sealed(Told(answer, NOW), TERMS, predecessor, NOW + 120, MINT)


def test_it_stands_under_both_digests_until_its_end() -> None:
    seal = kept()
    assert seal == SealedSuccessor(digest(OLD), digest(NEW), seal.content, NOW + 120, TERMS)


@pytest.mark.parametrize(("later", "left"), [(0, 3600), (119, 3481), (-60, 3600)])
def test_who_has_the_predecessor_reads_what_is_left(later: int, left: int) -> None:
    assert opened(kept(), OLD, NOW + later) == replace(ANSWER, lifetime=left)


def test_what_lives_for_ever_does_so() -> None:
    answer = replace(ANSWER, lifetime=None)
    assert opened(kept(answer), OLD, NOW + 100) == answer


def test_nobody_else_reads_it() -> None:
    for other in (NEW, OLD[:-1], OLD.swapcase(), "", digest(OLD).hex()):
        with pytest.raises(InvalidTag):
            opened(kept(), other, NOW)


def test_it_fits_in_no_other_place() -> None:
    seal = kept()
    for moved in (
        replace(seal, successor=digest("other")),
        replace(seal, digest=digest("other")),
        replace(seal, digest=seal.successor, successor=seal.digest),
        replace(seal, content=kept(predecessor=NEW).content),
        replace(seal, content=seal.content[:-1]),
        replace(seal, content=bytes(byte ^ (place == 20) for place, byte in enumerate(seal.content))),
    ):
        with pytest.raises(InvalidTag):
            opened(moved, OLD, NOW)


def test_nothing_of_it_can_be_read_in_the_store_and_no_two_are_alike() -> None:
    one, two = kept(), kept()
    assert one.content != two.content
    for secret in (b"vk_at_access", NEW.encode(), OLD.encode(), b"basic"):
        assert secret not in one.content
