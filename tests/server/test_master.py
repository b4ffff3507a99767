"""The master key: where it is looked for, what is said of a wrong one, and what it seals."""

import os
import stat
from pathlib import Path

import pytest

from valetkey.server import master
from valetkey.server.master import Master
from valetkey.server.mint import Mint
from valetkey.server.problems import MasterKeyError
from valetkey.settings import KeySettings, Settings

WORD, OTHER = Mint(os.urandom).master_key(), Mint(os.urandom).master_key()
SQLITE = "sqlite:///"


def at(place: Path, file: str = "") -> Settings:
    return Settings(database=f"sqlite:///{place / 'here.db'}", keys=KeySettings(master_file=file))


def test_the_environment_goes_before_the_credential_and_that_before_the_file(tmp_path: Path):
    words = [Mint(os.urandom).master_key() for _ in range(4)]
    (tmp_path / "valetkey-master").write_text(words[1] + "\n")
    (tmp_path / "named").write_text(words[2])
    (tmp_path / "here.db.master").write_text(words[3])
    settings = at(tmp_path, str(tmp_path / "named"))
    everything = {"VALETKEY_KEYS_MASTER": words[0], "CREDENTIALS_DIRECTORY": str(tmp_path)}
    for place in (everything, {"CREDENTIALS_DIRECTORY": str(tmp_path)}, {}):
        found = master.given(settings, place)
        assert found is not None and found.keys == (master.key_of(words.pop(0), ""),)
    beside = master.given(at(tmp_path), {})
    assert beside is not None and beside.keys == (master.key_of(words.pop(0), ""),)
    assert beside.source == str(tmp_path / "here.db.master")


def test_nobody_gave_one(tmp_path: Path):
    assert master.given(at(tmp_path), {"CREDENTIALS_DIRECTORY": "", "VALETKEY_KEYS_MASTER": ""}) is None
    assert master.given(Settings(database="postgresql://x@localhost/x"), {}) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "is empty; type `valetkey keys master > FILE`"),
        (" \n", "is empty"),
        ("hunter2", "does not hold what `valetkey keys master` prints"),
        (WORD[:-1], "does not hold"),
        (WORD[:-1] + ("a" if WORD[-1] != "a" else "b"), "does not hold"),
        (WORD.replace("vk_mk_", "vk_cs_"), "does not hold"),
        (WORD + " " + WORD[6:], "does not hold"),
        ("é" * 55, "does not hold"),
    ],
)
def test_a_wrong_one_is_told_without_showing_it(tmp_path: Path, text: str, words: str):
    (tmp_path / "file").write_text(text)
    with pytest.raises(MasterKeyError) as told:
        master.given(at(tmp_path, str(tmp_path / "file")), {})
    assert str(told.value).startswith(f"{tmp_path / 'file'} {words}")
    assert WORD not in str(told.value)


@pytest.mark.parametrize(("name", "words"), [("nowhere", "No such file"), (".", "Is a directory")])
def test_a_file_that_cannot_be_read(tmp_path: Path, name: str, words: str):
    with pytest.raises(MasterKeyError, match=f"cannot be read: {words}"):
        master.given(at(tmp_path, str(tmp_path / name)), {})


def test_bytes_that_are_no_text(tmp_path: Path):
    (tmp_path / "file").write_bytes(b"\xff\xfe")
    with pytest.raises(MasterKeyError, match="cannot be read"):
        master.given(at(tmp_path, str(tmp_path / "file")), {})


def test_one_is_made_for_its_owner_alone_and_only_once(tmp_path: Path):
    file = tmp_path / "here.db.master"
    first = master.made(file, WORD)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert first.keys == (master.key_of(WORD, ""),)
    assert master.made(file, OTHER) == first  # another process was faster
    assert [each.name for each in tmp_path.iterdir()] == ["here.db.master"]


def test_one_that_cannot_be_made(tmp_path: Path):
    with pytest.raises(MasterKeyError, match=r"cannot be made: No such file.*keys master > FILE"):
        master.made(tmp_path / "nowhere" / "x", WORD)


def test_what_is_sealed_opens_with_the_key_and_for_its_purpose_alone():
    ours = master.read(WORD, "")
    sealed = ours.seal(b"secret", "this", os.urandom)
    assert b"secret" not in sealed and sealed != ours.seal(b"secret", "this", os.urandom)
    assert ours.opened(sealed, "this") == b"secret"
    assert ours.opened(sealed, "that") is None
    assert ours.opened(sealed[:-1] + bytes([sealed[-1] ^ 1]), "this") is None
    assert ours.opened(b"", "this") is None
    assert master.read(OTHER, "").opened(sealed, "this") is None
    assert master.read(f"{OTHER}\n{WORD}\n", "").opened(sealed, "this") == b"secret"
    both = master.read(f"{OTHER} {WORD}", "")
    assert Master(both.keys[:1], "").opened(both.seal(b"x", "this", os.urandom), "this") == b"x"
