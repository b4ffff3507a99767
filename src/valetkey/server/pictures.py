"""Profile pictures: decoded, cut square and written anew, so that nothing but pixels stays (R19, K2)."""

import hashlib
import io
import warnings
from typing import TYPE_CHECKING

from valetkey.protocol.model import Account
from valetkey.protocol.profile import Person
from valetkey.server.problems import Problems

if TYPE_CHECKING:
    from valetkey.server.authorization_server import AuthorizationServer

SIDE = 320
LARGEST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 40_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")


def picture_url(server: "AuthorizationServer", account: Account) -> str:
    """The public address of an account's picture, or of the one for nobody in particular."""
    if account.picture:
        return f"{server.book.issuer}/pictures/{account.picture}.jpg"
    return f"{server.book.issuer}/static/person.png"


def person(server: "AuthorizationServer", account: Account) -> Person:
    """What answers tell of an account."""
    return Person(str(account.id), account.username, account.full_name, picture_url(server, account))


def reencoded(data: bytes) -> tuple[str, bytes]:
    """Name and JPEG bytes of an uploaded picture. Raises Problems. Slow: call it on a thread."""
    if len(data) > LARGEST_BYTES:
        raise Problems(picture="is larger than 8 MB")
    try:
        from PIL import Image, ImageOps
    except ImportError:
        raise Problems(
            picture="cannot be taken: this server was installed without the images extra"
        ) from None
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(data), formats=FORMATS) as image:
                if image.width * image.height > MOST_PIXELS:
                    raise Problems(picture="has more than 40 million pixels")
                upright = ImageOps.exif_transpose(image).convert("RGB")
                square = ImageOps.fit(upright, (SIDE, SIDE))
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise Problems(picture="is not a JPEG, PNG, WebP or GIF picture") from None
    out = io.BytesIO()
    square.save(out, "JPEG", quality=85)
    return hashlib.sha256(out.getvalue()).hexdigest()[:32], out.getvalue()
