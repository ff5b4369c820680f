"""The pictures of a site: the figures without loss in a smaller format, and small ones of them."""

from pathlib import Path

from PIL import Image

THUMBNAIL = (480, 360)
Size = tuple[int, int]


def write_picture(source: Path, picture: Path, thumbnail: Path) -> tuple[Size, Size]:
    """Write a figure's picture and its thumbnail as WebP, unless they are newer than the figure; return their sizes."""
    if not all(
        made.exists() and made.stat().st_mtime > source.stat().st_mtime for made in (picture, thumbnail)
    ):
        picture.parent.mkdir(parents=True, exist_ok=True)
        thumbnail.parent.mkdir(parents=True, exist_ok=True)
        with Image.open(source) as image:
            drawn = image.convert("RGB")
        drawn.save(picture, lossless=True, method=1)
        drawn.thumbnail(THUMBNAIL)
        drawn.save(thumbnail, quality=80)
    return _size(picture), _size(thumbnail)


def _size(path: Path) -> Size:
    with Image.open(path) as image:
        return image.size
