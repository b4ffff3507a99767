"""Where a server learns what a token says: from valetkey's answer, or from valetkey's signature."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import pytest

from tests.signing import Signer, key_set
from valetkey.resource import Introspection, SignedTokens, Unreachable

NOW = 1_800_000_000
ISSUER = "https://id.test"
KEY = Signer(kid="a")
SAID = {
    "iss": ISSUER,
    "sub": "1",
    "aud": "https://notes.test",
    "iat": NOW,
    "exp": NOW + 60,
    "client_id": "app",
}


class Web:
    """Answers what it is told to, and remembers what it was asked."""

    def __init__(self, *answers: tuple[int, bytes] | Exception) -> None:
        self.answers, self.asked = list(answers), list[tuple[str, Any, Any]]()

    async def __call__(
        self, url: str, form: Mapping[str, str] | None = None, user: tuple[str, str] | None = None
    ) -> tuple[int, bytes]:
        self.asked.append((url, form, user))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


async def test_introspection_asks_with_what_it_is() -> None:
    web = Web((200, json.dumps({"active": True, "sub": "1"}).encode()))
    source = Introspection(f"{ISSUER}/oauth/introspect", "id", "secret", web)
    assert await source.claims("vk_at_x") == {"active": True, "sub": "1"}
    form = {"token": "vk_at_x", "token_type_hint": "access_token"}
    assert web.asked == [(f"{ISSUER}/oauth/introspect", form, ("id", "secret"))]


@pytest.mark.parametrize("said", [{"active": False}, {}, {"active": "true"}, {"active": 1}])
async def test_a_token_lives_only_if_it_is_said_to(said: dict[str, Any]) -> None:
    source = Introspection("https://id.test/", "id", "secret", Web((200, json.dumps(said).encode())))
    assert await source.claims("x") is None


@pytest.mark.parametrize(
    "answer", [(401, b"{}"), (500, b""), (302, b""), (200, b"<html>"), (200, b"[]"), Unreachable()]
)
async def test_who_does_not_answer_says_nothing(answer: tuple[int, bytes] | Exception) -> None:
    with pytest.raises(Unreachable):
        await Introspection("https://id.test/", "id", "secret", Web(answer)).claims("x")


class Hours:
    """A clock to turn."""

    now = NOW

    def __call__(self) -> float:
        return self.now


def signed(web: Web, clock: Hours | None = None) -> SignedTokens:
    return SignedTokens(f"{ISSUER}/oauth/jwks", ISSUER, web, clock or Hours())


def token(key: Signer = KEY, typ: str = "at+jwt", **more: Any) -> str:
    return key.jwt(SAID | more, header={"typ": typ})


async def test_a_jwt_is_read_by_the_published_keys() -> None:
    web = Web((200, KEY.jwks.encode()))
    source = signed(web)
    assert await source.claims(token()) == SAID
    assert await source.claims(token(jti="2")) == SAID | {"jti": "2"}
    assert web.asked == [(f"{ISSUER}/oauth/jwks", None, None)], "the keys are kept"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "vk_at_x",
        "a.b.c",
        token(typ="JWT"),
        token(typ=""),
        token(iss="https://other.test"),
        token(exp=NOW),
        token(exp=None),
        token(exp="soon"),
        token(iat=NOW + 3600),
        token(nbf=NOW + 3600),
        token(Signer(kid="a")),
        KEY.jwt(SAID, header={"typ": "at+jwt", "alg": "none"}),
        KEY.jwt(SAID, header={"typ": "at+jwt", "crit": ["x"]}),
        token()[:-4] + "AAAA",
    ],
)
async def test_what_valetkey_did_not_sign_or_is_over(text: str) -> None:
    assert await signed(Web((200, KEY.jwks.encode()))).claims(text) is None


async def test_keys_follow_one_another() -> None:
    """A token of an unknown key makes them be fetched anew, but not every such token."""
    new, clock = Signer(kid="b"), Hours()
    web = Web((200, KEY.jwks.encode()), (200, key_set(KEY, new).encode()))
    source = signed(web, clock)
    assert await source.claims(token()) is not None
    for _ in range(3):
        assert await source.claims(token(new)) is None
    assert len(web.asked) == 1
    clock.now += 60
    assert await source.claims(token(new, exp=NOW + 9999)) is not None
    assert len(web.asked) == 2
    clock.now += 299
    assert await source.claims(token(exp=NOW + 9999)) is not None and len(web.asked) == 2
    clock.now += 1
    assert await source.claims(token(exp=NOW + 9999)) is not None and len(web.asked) == 3


async def test_the_keys_that_are_there_go_on_while_nobody_answers() -> None:
    clock = Hours()
    web = Web((200, KEY.jwks.encode()), (503, b""), Unreachable("gone"), (200, b"no keys"))
    source = signed(web, clock)
    for turn in range(4):
        clock.now = NOW + 400 * turn
        assert await source.claims(token(exp=NOW + 9999)) is not None, turn
    for answer in ((503, b""), Unreachable("gone"), (200, b"no keys"), (200, b"\xff")):
        with pytest.raises(Unreachable):
            await signed(Web(answer)).claims(token())


def test_that_the_samples_are_what_they_seem() -> None:
    head = json.loads(base64.urlsafe_b64decode(token().split(".")[0] + "=="))
    assert (head["typ"], head["kid"]) == ("at+jwt", "a")
