"""Log lines: one place where secrets are taken out and control characters are made harmless (J9)."""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import msgspec
import structlog
from structlog.typing import EventDict, WrappedLogger

from valetkey.settings import LogSettings

REDACTED = "[redacted]"
SECRET_WORDS = frozenset(
    "token secret password passphrase cookie authorization assertion verifier ticket csrf credential".split()
)
HARMLESS_CODES = frozenset("status_code error_code exit_code language_code".split())
SECRETS_IN_TEXT = (
    (
        re.compile(
            r"(?i)\b((?:\w+_)?(?:token|secret|password|assertion|verifier|ticket|csrf|sig)|code)=[^&\s\"']+"
        ),
        rf"\1={REDACTED}",
    ),
    (re.compile(r"(?i)\b(bearer|basic|dpop)\s+[\w.~+/=-]{8,}"), rf"\1 {REDACTED}"),
    (re.compile(r"\bvk_[a-z]+_[\w-]{20,}|\b[0-9a-f]{7}\.[0-9a-f]{32}\b|\$argon2\w*\$\S+"), REDACTED),
    (re.compile(r"\beyJ[\w-]{5,}\.[\w-]+\.[\w-]*"), REDACTED),  # a JWT: every one of ours proves something
    (re.compile(r"(urn:ietf:params:oauth:request_uri:)[\w-]+"), rf"\1{REDACTED}"),
    (re.compile(r"(://[^/\s:@]*):[^/\s]*@"), rf"\1:{REDACTED}@"),
)
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
QUIET = frozenset({"Invalid HTTP request received.", "Unsupported upgrade request."})  # the door counts these
PLAIN = re.compile(r"[^\s=\"]+")
DEEPEST = 5


def configure(settings: LogSettings, stream: TextIO | None = None, keep: bool = False) -> None:
    """Send all log lines of this process, the standard library's too, to a stream (stderr).

    keep: loggers stay as they are made first; faster, and nothing can be set again.
    """
    level = logging.getLevelNamesMapping().get(settings.level.upper(), logging.INFO)
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            add_name,
            structlog.processors.TimeStamper("iso", utc=True, key="time"),
            structlog.processors.format_exc_info,
            harmless,
            as_json if settings.json else as_words,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=lambda *names: Line(names[0] if names else "valetkey", stream or sys.stderr),
        cache_logger_on_first_use=keep,
    )
    logging.root.handlers[:] = [Forward()]
    logging.root.setLevel(max(level, logging.WARNING))


class Line:
    """Where structlog's lines end: one write each, so that those of several processes do not mix."""

    def __init__(self, name: str, stream: TextIO) -> None:
        self.name, self.stream = name, stream

    def msg(self, line: str) -> None:
        """Write the line."""
        try:
            self.stream.write(line + "\n")
            self.stream.flush()
        except (OSError, ValueError):  # nobody reads any more; the server goes on
            return

    debug = info = warning = error = critical = exception = fatal = log = msg


class Forward(logging.Handler):
    """Hands over what libraries log through the standard library."""

    def emit(self, record: logging.LogRecord) -> None:
        """One record."""
        message = record.getMessage()
        if message not in QUIET:
            logger = structlog.get_logger(record.name)
            logger.log(record.levelno, message.strip(), exc_info=record.exc_info or None)


def add_name(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """Who says it."""
    event["logger"] = getattr(logger, "name", "valetkey")
    return event


def harmless(logger: WrappedLogger, method: str, event: EventDict) -> EventDict:
    """The line without its secrets, and without characters that a terminal or a reader of lines would obey."""
    return {escaped(str(key)): cleaned(str(key), value) for key, value in event.items()}


def cleaned(key: str, value: Any, depth: int = 0) -> Any:
    """A value as it may be logged under this key."""
    if value is not None and is_secret(key):
        return REDACTED
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, MutableMapping) and depth < DEEPEST:
        return {escaped(str(name)): cleaned(str(name), inner, depth + 1) for name, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset) and depth < DEEPEST:
        return [cleaned(key, inner, depth + 1) for inner in value]
    text = without_secrets(value if isinstance(value, str) else str(value))
    if key == "exception":
        return "\n".join(escaped(line) for line in text.splitlines())
    return escaped(text)


def is_secret(key: str) -> bool:
    """Whether what stands under this name is never logged."""
    name = key.lower().replace("-", "_")
    last = name.rpartition("_")[2]
    return last in SECRET_WORDS or (last == "code" and name not in HARMLESS_CODES)


def without_secrets(text: str) -> str:
    """Text without what looks like a secret of ours."""
    for pattern, instead in SECRETS_IN_TEXT:
        text = pattern.sub(instead, text)
    return text


def escaped(text: str) -> str:
    """Text in which control characters, and those that turn the reading direction, are written out."""
    return CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def as_json(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """One JSON object."""
    return msgspec.json.encode(event).decode()


def as_words(logger: WrappedLogger, method: str, event: EventDict) -> str:
    """A line for people: time, level, what happened, then name=value; a traceback is set in."""
    time, level, what = (str(event.pop(name, "")) for name in ("time", "level", "event"))
    trace = event.pop("exception", None)
    name = event.pop("logger", "")
    rest = "".join(f" {key}={quoted(value)}" for key, value in event.items())
    line = f"{time[:19]}Z {level:<8}{name}: {what}{rest}"
    return line if trace is None else line + "".join(f"\n    {text}" for text in trace.split("\n"))


def quoted(value: Any) -> str:
    """A value that can be told from the next name."""
    if isinstance(value, str):
        return value if PLAIN.fullmatch(value) else msgspec.json.encode(value).decode()
    return msgspec.json.encode(value).decode()
