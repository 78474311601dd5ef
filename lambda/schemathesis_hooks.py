"""What Schemathesis sends as a photo: now and then a real one, which random bytes never are."""

from pathlib import Path

import schemathesis
from hypothesis import strategies

GALLERY = Path(__file__).resolve().parent.parent / "assets" / "gallery"
PHOTOS = [path.read_bytes() for path in sorted(GALLERY.iterdir())[:5]]

for media in ("image/jpeg", "image/png", "image/webp"):
    photos = strategies.one_of(strategies.sampled_from(PHOTOS), strategies.binary())
    schemathesis.openapi.media_type(media, photos)
