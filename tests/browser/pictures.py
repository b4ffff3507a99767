"""A picture as a camera makes it."""

import io

from PIL import Image


def png(side: int = 400) -> bytes:
    """Two colours meeting in a slope, as PNG."""
    made = Image.linear_gradient("L").resize((side, side // 2))
    out = io.BytesIO()
    Image.merge(
        "RGB", (made, made.transpose(Image.Transpose.FLIP_LEFT_RIGHT), made.point(lambda _: 120))
    ).save(out, "PNG")
    return out.getvalue()
