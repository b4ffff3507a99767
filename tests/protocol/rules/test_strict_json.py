import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.protocol.rules.strict_json import read_object, spoiled

WHOLE = st.integers(-(2**53), 2**53)
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=5)
VALUES = st.recursive(
    st.none() | st.booleans() | WHOLE | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(TEXT, inner, max_size=2),
    max_leaves=5,
)


@given(st.dictionaries(TEXT, VALUES, max_size=3))
def test_an_object_is_read_as_it_is(value: dict[str, object]) -> None:
    assert read_object(json.dumps(value)) == value
    assert read_object(json.dumps(value, ensure_ascii=False).encode()) == value


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b'"x"',
        b"{",
        b"{} {}",
        b"{'a':1}",
        b'{"a":1,}',
        b'{"a":1,"a":1}',
        b'{"a":1,"\\u0061":2}',
        b'{"a":{"b":1,"b":2}}',
        b'{"a":[{"b":1,"b":2}]}',
        b'{"a":NaN}',
        b'{"a":Infinity}',
        b'{"a":-Infinity}',
        b'{"a":1e999}',
        b'{"a":9007199254740993}',
        b'{"a":-9007199254740993}',
        b'{"a":9007199254740994}',
        b'{"a":' + b"9" * 5000 + b"}",
        b'{"a":01}',
        b'{"a":"\\u0000"}',
        b'{"a":["\\ud800"]}',
        b'{"a":{"\\udfff":1}}',
        b'{"a":"\x00"}',
        b'{"a":"\xff"}',
        b'{"a":"\xc0\x80"}',
        b"\xef\xbb\xbf{}",
        '{"a":1}'.encode("utf-16"),
        b'{"a":' + b"[" * 4000 + b"]" * 4000 + b"}",
        b'{"a":' * 2000 + b"1" + b"}" * 2000,
        *(b'{"a":' + b"[" * depth + b"]" * depth + b"}" for depth in (32, 480, 900)),
    ],
)
def test_what_readers_disagree_about(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^not a JSON object that all readers read alike$"):
        read_object(data)


def test_the_deepest() -> None:
    assert read_object(b'{"a":' + b"[" * 31 + b"]" * 31 + b"}")


def test_the_greatest_numbers() -> None:
    assert read_object('{"a":9007199254740992,"b":-9007199254740992,"c":1e300}') == {
        "a": 2**53,
        "b": -(2**53),
        "c": 1e300,
    }


@given(st.binary(max_size=60) | st.text(max_size=60))
def test_nothing_but_a_value_error(data: bytes | str) -> None:
    try:
        found = read_object(data)
    except ValueError:
        return
    assert isinstance(found, dict) and not spoiled(found)
