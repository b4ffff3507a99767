"""No secret and no control character gets into the log (J9)."""

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from tests.signing import Signer
from valetkey.settings import LogSettings
from valetkey.web import logs

TOKEN = "0f15e5a.9d4cbd3b6d0b4ff2b4a2d4f0a1c3e5b7"
JWT = Signer().jwt({"iss": "app"})


@pytest.fixture
def out() -> Iterator[io.StringIO]:
    """What is logged; afterwards everything is as it was."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield io.StringIO()
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def said(out: io.StringIO, **fields: object) -> dict[str, object]:
    """One event as a JSON line."""
    logs.configure(LogSettings(json=True), out)
    structlog.get_logger("valetkey.test").info("it_happened", **fields)
    line: dict[str, object] = json.loads(out.getvalue())
    return line


@pytest.mark.parametrize(
    "name",
    "token access_token refresh_token code user_code secret client_secret password new-password cookie Set-Cookie "
    "authorization Authorization code_verifier client_assertion ticket csrf".split(),
)
def test_what_stands_under_these_names_is_never_logged(out: io.StringIO, name: str) -> None:
    assert said(out, **{name: "hunter2"})[name] == logs.REDACTED
    assert "hunter2" not in out.getvalue()


@pytest.mark.parametrize("name", ["status_code", "token_type", "secret_count", "client_id", "reason"])
def test_names_that_only_sound_like_it(out: io.StringIO, name: str) -> None:
    assert said(out, **{name: "hunter2"})[name] == "hunter2"


@pytest.mark.parametrize(
    ("text", "logged"),
    [
        (f"GET /v1/users/self?access_token={TOKEN}&x=1", "GET /v1/users/self?access_token=[redacted]&x=1"),
        ("/callback?code=abc123&state=5", "/callback?code=[redacted]&state=5"),
        ("status_code=400", "status_code=400"),
        ("Authorization: Bearer abcdefgh12345", "Authorization: Bearer [redacted]"),
        ("Basic dXNlcjpwYXNz", "Basic [redacted]"),
        (f"the token {TOKEN} is unknown", "the token [redacted] is unknown"),
        (f"proof {JWT} of nobody", "proof [redacted] of nobody"),
        (f"{JWT.rpartition('.')[0]}.", "[redacted]"),
        ("eyJ.a.b and eyJuothing", "eyJ.a.b and eyJuothing"),
        ("vk_cs_abcdefghijklmnopqrstuvwxyz012345", "[redacted]"),
        ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdA$aGFzaA", "[redacted]"),
        ("cannot reach postgresql://me:hunter2@host/db", "cannot reach postgresql://me:[redacted]@host/db"),
        ("postgresql://me:hun@ter2@host/db", "postgresql://me:[redacted]@host/db"),
    ],
)
def test_what_looks_like_a_secret_is_taken_out_of_texts(out: io.StringIO, text: str, logged: str) -> None:
    assert said(out, why=text)["why"] == logged


def test_secrets_are_found_deep_inside(out: io.StringIO) -> None:
    line = said(out, request={"form": [{"password": "hunter2", "name": "x"}]})
    assert line["request"] == {"form": [{"password": logs.REDACTED, "name": "x"}]}


def test_other_kinds_of_values(out: io.StringIO) -> None:
    line = said(out, none=None, yes=True, count=3, some={1}, raw=b"\x00", error=ValueError("token=x"))
    assert line["none"] is None and line["yes"] is True and line["count"] == 3 and line["some"] == [1]
    assert line["raw"] == "b'\\x00'" and line["error"] == "token=[redacted]"


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize("bad", ["\n", "\r", "\x1b[2J", "\x00", "\x85", "\u2028", "\u202e", "\x7f"])
def test_control_characters_are_written_out(out: io.StringIO, bad: str, as_json: bool) -> None:
    logs.configure(LogSettings(json=as_json), out)
    structlog.get_logger().info(f"what{bad}ever", **{f"na{bad}me": f"a{bad}b"})
    assert out.getvalue().count("\n") == 1 and out.getvalue().endswith("\n")
    assert bad[0] not in out.getvalue()[:-1]


def test_a_traceback_cannot_be_mistaken_for_another_line(out: io.StringIO) -> None:
    logs.configure(LogSettings(), out)
    try:
        raise ValueError("no\n2026-01-01T00:00:00Z info faked password=hunter2\x1b")
    except ValueError:
        structlog.get_logger("valetkey.test").exception("it_failed")
    first, *rest = out.getvalue().splitlines()
    assert "error   valetkey.test: it_failed" in first
    assert rest and all(line.startswith("    ") for line in rest)
    assert "hunter2" not in out.getvalue() and "\x1b" not in out.getvalue()


def test_lines_for_people(out: io.StringIO) -> None:
    logs.configure(LogSettings(), out)
    structlog.get_logger("valetkey.test").warning("it_happened", name="x y", count=2, where="/a")
    assert out.getvalue()[20:] == ' warning valetkey.test: it_happened name="x y" count=2 where=/a\n'


def test_the_level(out: io.StringIO) -> None:
    logs.configure(LogSettings(level="warning"), out)
    structlog.get_logger().info("no")
    logging.getLogger("uvicorn.error").info("no")
    structlog.get_logger().error("yes")
    assert out.getvalue().count("\n") == 1


def test_what_libraries_log_takes_the_same_way(out: io.StringIO) -> None:
    logs.configure(LogSettings(json=True), out)
    try:
        raise ValueError("token=hunter2")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\n")
    line = json.loads(out.getvalue())
    assert line["logger"] == "uvicorn.error" and line["event"] == "Exception in ASGI application"
    assert "hunter2" not in line["exception"] and "Traceback" in line["exception"]


def test_what_the_door_counts_is_not_logged_line_by_line(out: io.StringIO) -> None:
    logs.configure(LogSettings(), out)
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    assert out.getvalue() == ""


def test_a_closed_stream_stops_nobody(out: io.StringIO) -> None:
    logs.configure(LogSettings(), out)
    out.close()
    structlog.get_logger().error("nobody reads this")
