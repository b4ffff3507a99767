"""Pictures: only pixels survive."""

import io

import pytest
from PIL import Image

from valetkey.server.pictures import SIDE, reencoded
from valetkey.server.problems import Problems


def encoded(kind: str, size: tuple[int, int] = (400, 200), **more: object) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", size, (200, 30, 30)).save(out, kind, **more)
    return out.getvalue()


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
def test_K2_a_picture_is_cut_square_and_written_anew(kind: str):
    junk = b"<script>alert(1)</script>"
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    name, data = reencoded(encoded(kind, **({"exif": exif} if kind != "GIF" else {})) + junk)
    shown = Image.open(io.BytesIO(data))
    assert (shown.format, shown.size) == ("JPEG", (SIDE, SIDE))
    assert junk not in data and b"secret place" not in data
    assert len(name) == 32
    assert abs(shown.getpixel((100, 100))[0] - 200) < 12


@pytest.mark.parametrize(
    "data",
    [b"", b"GIF89a", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"<html>", b"%PDF-1.4", encoded("BMP"),
     encoded("JPEG")[:300]],
    ids=["nothing", "a head only", "svg", "html", "pdf", "bmp", "cut short"],
)  # fmt: skip
def test_K2_what_is_no_picture_is_refused(data: bytes):
    with pytest.raises(Problems, match="is not a JPEG"):
        reencoded(data)


def test_a_picture_beyond_bounds_is_refused():
    with pytest.raises(Problems, match="larger than 8 MB"):
        reencoded(bytes(9_000_000))
    with pytest.raises(Problems):
        reencoded(encoded("PNG", (9000, 9000)))
