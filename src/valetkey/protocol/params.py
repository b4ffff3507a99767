"""Params: each name at most once, an empty value means absent (RFC 6749 3.1 and 3.2)."""

import re
from collections.abc import Callable, Collection, Iterable, Sequence
from urllib.parse import quote, unquote_to_bytes

from valetkey.protocol.errors import InvalidRequest

Piece = tuple[str, str, str]  # name, "=", value, as they were sent
FIELDS = 100
VALUE_BYTES = 4096
NAME_BYTES = 256
SEVERAL = frozenset({"resource", "audience"})  # RFC 8707 2, RFC 8693 2.1
BAD_PERCENT = re.compile(r"%(?![0-9A-Fa-f]{2})")
PLAIN_QUERY_VALUE = re.compile(r"[A-Za-z0-9\-._~!$'()*+,;=:@/?%]*")


class Params:
    """The parameters of one request. Unknown names are kept: rules ask only for those they know.

    get: the value of a parameter; None when it is absent or empty.
    """

    __slots__ = ("_again", "_raw", "_values", "get")
    get: Callable[[str], str | None]

    def __init__(
        self,
        pairs: Iterable[tuple[str, str]],
        raw: Sequence[Piece] = (),
        longest: int = VALUE_BYTES,
        several: Collection[str] = (),
    ) -> None:
        """Raises InvalidRequest when a name is there twice that is not one of `several`, or when names, values or their
        number are beyond bounds."""
        values: dict[str, str] = {}
        again: list[tuple[str, str]] = []
        for name, value in pairs:
            if len(value) > longest or len(name) > NAME_BYTES:
                raise InvalidRequest("parameter_long", f"the parameter {printable(name)} is too long", name)
            if "\0" in value or "\0" in name:
                raise InvalidRequest("parameter_nul", "a parameter holds a NUL character")
            if name not in values:
                values[name] = value
            elif name in several:
                again.append((name, value))
            else:
                raise twice(name)
        if len(values) + len(again) > FIELDS:
            raise InvalidRequest("parameters_many", f"more than {FIELDS} parameters")
        self._values, self._again = values, again
        self._raw = raw
        said = values if all(values.values()) else {name: value for name, value in values.items() if value}
        self.get = said.get

    def all(self, name: str) -> tuple[str, ...]:
        """All values of a parameter that may be there several times, each once."""
        if not self._again:
            value = self._values.get(name)
            return (value,) if value else ()
        found = [self._values.get(name, ""), *(value for each, value in self._again if each == name)]
        return tuple(dict.fromkeys(value for value in found if value))

    def check_once(self) -> None:
        """Raises InvalidRequest if any parameter is there several times."""
        for name, _ in self._again:
            raise twice(name)

    def as_sent(self, name: str) -> str:
        """The value in the query spelling it came in, when that is safe to send back; otherwise encoded anew."""
        raw = next((value for key, _, value in self._raw if key == name), None)
        if raw is not None and PLAIN_QUERY_VALUE.fullmatch(raw):
            return raw
        return quote(self._values.get(name, ""), safe="")

    def spelled(self) -> list[str]:
        """All parameters that are not empty, name=value as a query has them, each value in the spelling it came in."""
        own = [
            f"{quote(name, safe='')}={self.as_sent(name)}" for name, value in self._values.items() if value
        ]
        return own + [f"{name}={quote(value, safe='')}" for name, value in self._again if value]

    def items(self) -> Iterable[tuple[str, str]]:
        """All parameters as they were sent, the empty ones too."""
        return [*self._values.items(), *self._again] if self._again else self._values.items()

    def __bool__(self) -> bool:
        return bool(self._values)

    def __contains__(self, name: object) -> bool:
        return name in self._values


def parse(
    data: bytes, repeated: str | None = None, longest: int = VALUE_BYTES, several: Collection[str] = ()
) -> Params:
    """Params out of a query string or an application/x-www-form-urlencoded body (WHATWG URL 5.1), strictly.

    repeated: the one name that may stand there again with the same value (some clients of old send `sig` twice);
    several: names that may be there with several values.
    Raises InvalidRequest: not UTF-8, a broken percent-encoding, a NUL, a name twice, beyond bounds.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        raise not_utf8() from None
    if "%" in text and BAD_PERCENT.search(text):
        raise InvalidRequest("percent_broken", "a percent-encoding is broken")
    pieces = list(filter(None, text.split("&")))
    if len(pieces) > FIELDS:
        raise InvalidRequest("parameters_many", f"more than {FIELDS} parameters")
    if repeated is not None and text.count(repeated + "=") > 1:
        pieces = [p for i, p in enumerate(pieces) if not (p.startswith(repeated + "=") and p in pieces[:i])]
    split = [piece.partition("=") for piece in pieces]
    pairs = [
        (name, value) if "%" not in piece and "+" not in piece else (decoded(name), decoded(value))
        for piece, (name, _, value) in zip(pieces, split, strict=True)
    ]
    return Params(pairs, split, longest, several)


def decoded(text: str) -> str:
    """One name or value out of its form encoding."""
    if "+" in text:
        text = text.replace("+", " ")
    if "%" not in text:
        return text
    try:
        return unquote_to_bytes(text).decode("utf-8")
    except UnicodeDecodeError:
        raise not_utf8() from None


def twice(name: str) -> InvalidRequest:
    """The refusal of a name that is there again."""
    return InvalidRequest("parameter_twice", f"the parameter {printable(name)} is there twice", name)


def not_utf8() -> InvalidRequest:
    """The refusal of bytes that are not UTF-8."""
    return InvalidRequest("not_utf8", "the request is not UTF-8")


def printable(name: str) -> str:
    """A parameter's name, safe to show: short and plain (RFC 6749 5.2 allows no quotes or controls)."""
    return re.sub(r"[^A-Za-z0-9_.\-]", "?", name[:40])
