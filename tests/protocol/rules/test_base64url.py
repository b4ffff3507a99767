import pytest
from hypothesis import given
from hypothesis import strategies as st

from valetkey.protocol.rules import base64url


@given(st.binary(max_size=100))
def test_there_and_back(data: bytes) -> None:
    assert base64url.decode(base64url.encode(data)) == data


def test_rfc_7515_appendix_c() -> None:
    assert base64url.encode(bytes([3, 236, 255, 224, 193])) == "A-z_4ME"
    assert base64url.encode(b"\x00\x00\x17") == "AAAX"
    assert base64url.decode("A-z_4ME") == bytes([3, 236, 255, 224, 193])


@pytest.mark.parametrize(
    "text",
    ["A-z_4ME=", "A+z/4ME", "A-z_4MF", "A", "AA=", "AB", "A-z_4M E", "A-z_4ME\n", "\u00e9A", "A.A", "="],
)
def test_one_spelling_only(text: str) -> None:
    with pytest.raises(ValueError, match=r"^not base64url in its one spelling$"):
        base64url.decode(text)
