"""JSON that every reader reads alike: no name twice, no number, character or depth that some cannot hold (RFC 7493)."""

import json
import math
from typing import NoReturn

GREATEST = 2**53
DEEPEST = 32  # objects and lists within one another (RFC 8259 9)
NOT_ALIKE = "not a JSON object that all readers read alike"


def read_object(data: bytes | str) -> dict[str, object]:
    """The JSON object in these bytes. Raises ValueError for everything else."""
    found = read(data)
    if not isinstance(found, dict):
        raise ValueError(NOT_ALIKE)
    return found


def read(data: bytes | str) -> object:
    """The JSON value in these bytes. Raises ValueError for what is none."""
    try:
        found: object = json.loads(
            data if isinstance(data, str) else data.decode("utf-8"),
            object_pairs_hook=once_each,
            parse_int=whole,
            parse_float=finite,
            parse_constant=no_number,
        )
    except (ValueError, RecursionError):
        raise ValueError(NOT_ALIKE) from None
    if spoiled(found):
        raise ValueError(NOT_ALIKE)
    return found


def once_each(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """The members of an object (RFC 7493 2.3)."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def whole(text: str) -> int:
    """A whole number that a double holds too (RFC 7493 2.2)."""
    number = int(text)
    if abs(number) > GREATEST:
        raise ValueError
    return number


def finite(text: str) -> float:
    """A number with a fraction or an exponent."""
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def no_number(text: str) -> NoReturn:
    """NaN and Infinity, which Python would read."""
    raise ValueError


def spoiled(value: object, depth: int = 0) -> bool:
    """Whether it goes too deep, or a string within has a NUL or half a surrogate pair (RFC 7493 2.1), which no database
    and no UTF-8 takes."""
    if isinstance(value, str):
        return "\0" in value or any("\ud800" <= character <= "\udfff" for character in value)
    if not isinstance(value, dict | list):
        return False
    inner = [*value, *value.values()] if isinstance(value, dict) else value
    return depth == DEEPEST or any(spoiled(each, depth + 1) for each in inner)
