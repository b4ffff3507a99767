"""`valetkey keys`: list, rotate, retire, and the master key that seals them."""

from pathlib import Path

import pytest

from tests.cli.conftest import Shell
from tests.cli.serving import Serving


def states(shell: Shell, **environment: str) -> dict[str, str]:
    """kid -> what the key does."""
    return {key["kid"]: key["state"] for key in shell("keys", "list", "--json", **environment).json}


def test_the_first_key_is_there_at_once_and_sealed_beside_the_database(
    shell: Shell, fresh_sqlite: Path
) -> None:
    said = shell("keys", "list")
    assert said.code == 0 and said.err == ""
    head, row = said.out.splitlines()
    assert head.split() == ["kid", "alg", "signs", "from", "to", "shown", "until"]
    assert row.split()[1:3] == ["ES256", "signs"] and row.endswith("never  never")
    assert Path(f"{fresh_sqlite}.master").read_text().startswith("vk_mk_")
    assert states(shell) == {row.split()[0]: "signs"}


def test_rotating_and_retiring(shell: Shell) -> None:
    (first,) = states(shell)
    said = shell("keys", "rotate")
    assert said.code == 0 and " waits, from " in said.out
    second = said.out.split()[0]
    assert states(shell) == {first: "signs", second: "waits"}
    assert (
        shell("keys", "rotate").err
        == f"keys: have a successor already, {second}, which signs from its time on\n"
    )
    assert shell("keys", "rotate", "--at-once", "--json").json["kid"] == second
    said = shell("keys", "retire", first)
    assert said.code == 0 and said.out.startswith(f"{first} signs, until 2")
    assert shell("keys", "retire", first, "--leaked").out == f"{first} gone\n"
    assert states(shell) == {second: "signs"}
    said = shell("keys", "retire", second, "--leaked")
    (third,) = set(states(shell)) - {first, second}
    assert states(shell) == {third: "signs"}
    assert shell("keys", "retire", "nobody").err == "key: nobody is not there\n"
    assert shell("keys", "rotate", "--alg", "RS256").err == (
        "keys: sign with ES256 (keys.algorithms), not with RS256\n"
    )


def test_another_algorithm(shell: Shell) -> None:
    both = {"VALETKEY_KEYS_ALGORITHMS": "EdDSA, ES256"}
    assert set(states(shell, **both).values()) == {"signs"}
    assert shell("keys", "rotate", "--json", **both).json["alg"] == "EdDSA"
    wrong = shell("config", "check", VALETKEY_KEYS_ALGORITHMS="HS256")
    assert wrong.code == 1 and wrong.err.endswith(
        "keys.algorithms: must be some of ES256, RS256, PS256, EdDSA\n"
    )


def test_a_new_master_key(shell: Shell, tmp_path: Path, fresh_sqlite: Path) -> None:
    before = states(shell)
    word = shell("keys", "master").out
    assert word != shell("keys", "master").out and len(word) == 56
    assert shell("keys", "master", "--json").json["master"].startswith("vk_mk_")
    file = tmp_path / "master"
    file.write_text(word)
    named = {"VALETKEY_KEYS_MASTER_FILE": str(file)}
    wrong = shell("keys", "list", **named)
    assert wrong.code == 1 and wrong.err == (
        f"keys: the keys in the database are sealed under another master key than that of {file}\n"
    )
    beside = Path(f"{fresh_sqlite}.master")
    file.write_text(word + beside.read_text())
    assert shell("keys", "rewrap", **named).out == "sealed anew: 2\n"
    assert shell("keys", "rewrap", **named).out == "sealed anew: 0\n"
    file.write_text(word)
    assert states(shell, **named) == before
    assert shell("keys", "list").code == 1
    assert states(shell, VALETKEY_KEYS_MASTER=word) == before


def test_a_master_key_that_is_lost(shell: Shell, fresh_sqlite: Path) -> None:
    (before,) = states(shell)
    beside = Path(f"{fresh_sqlite}.master")
    assert shell("keys", "give-up").out == "given up: 0\n"
    assert states(shell) == {before: "signs"}
    beside.rename(f"{beside}.lost")
    said = shell("serve", "--port", "0")
    assert (said.code, said.err) == (
        1,
        f"keys: the keys in the database are sealed under a master key, and {beside}, where it was made, is gone; "
        "put it back, or, if it is lost, see `valetkey keys give-up`\n",
    )
    assert shell("keys", "give-up").code == 1  # nobody said yes
    assert shell("keys", "give-up", "--yes").out == "given up: 2\n"
    (after,) = states(shell)
    assert after != before and beside.exists()
    assert shell("keys", "give-up", "--yes").out == "given up: 0\n"
    assert shell("keys", "rewrap").out == "sealed anew: 0\n"
    with Serving(f"sqlite:///{fresh_sqlite}") as server:
        assert after in server.get("/oauth/jwks")[1].decode()
        assert server.ends() == 0
    assert [line for line in server.lines if line["level"] in ("warning", "error")] == []
    assert shell("keys", "rotate", "--at-once").code == 0


def test_a_database_that_came_without_its_master_key(shell: Shell, fresh_postgres: str) -> None:
    word = {"VALETKEY_KEYS_MASTER": shell("keys", "master").out, "VALETKEY_DATABASE": fresh_postgres}
    other = word | {"VALETKEY_KEYS_MASTER": shell("keys", "master").out}
    (before,) = states(shell, **word)
    assert shell("keys", "list", **other).code == 1
    assert shell("keys", "give-up", "--yes", VALETKEY_DATABASE=fresh_postgres).err.startswith(
        "keys: no master key"
    )
    assert states(shell, **word) == {before: "signs"}
    assert shell("keys", "give-up", "--yes", **other).out == "given up: 2\n"
    (after,) = states(shell, **other)
    assert after != before and shell("keys", "list", **word).code == 1


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        (
            {"VALETKEY_KEYS_MASTER": "x"},
            "VALETKEY_KEYS_MASTER does not hold what `valetkey keys master` prints",
        ),
        ({"VALETKEY_KEYS_MASTER_FILE": "/nowhere"}, "/nowhere cannot be read: No such file or directory"),
    ],
)
def test_a_server_without_its_master_key_says_so_and_does_not_start(
    shell: Shell, environment: dict[str, str], words: str
) -> None:
    said = shell("serve", "--port", "0", **environment)
    assert (said.code, said.err) == (1, f"keys: {words}\n")
    assert shell("users", "list", **environment).code == 0  # which signs nothing


def test_on_postgresql_it_says_what_to_type(shell: Shell, fresh_postgres: str) -> None:
    said = shell("keys", "rotate", VALETKEY_DATABASE=fresh_postgres)
    assert (said.code, said.err) == (
        1,
        "keys: no master key is given; type `valetkey keys master > FILE` and set keys.master_file to it\n",
    )
    assert shell("keys", "list", VALETKEY_DATABASE=fresh_postgres).out.count("\n") == 1


def test_the_log_tells_where_the_master_key_is(shell: Shell, fresh_sqlite: Path, tmp_path: Path) -> None:
    folder = tmp_path / "credentials"
    folder.mkdir()
    (folder / "valetkey-master").write_text(shell("keys", "master").out)
    for environment, where in (
        ({"CREDENTIALS_DIRECTORY": str(folder)}, str(folder / "valetkey-master")),
        ({"VALETKEY_KEYS_MASTER": (folder / "valetkey-master").read_text()}, "VALETKEY_KEYS_MASTER"),
    ):
        with Serving(f"sqlite:///{fresh_sqlite}", **environment) as server:
            assert server.ends() == 0
        assert server.said("listening")[0]["master_key"] == where
        assert not any("vk_mk_" in str(line) for line in server.lines)
