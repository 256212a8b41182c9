"""Images as files hold them."""

import io

import numpy as np
from PIL import Image


def png(pixels: np.ndarray) -> bytes:
    """A PNG of uint8 pixels (H, W) or (H, W, C)."""
    encoded = io.BytesIO()
    Image.fromarray(pixels).save(encoded, "png")
    return encoded.getvalue()
