"""The plain files of a tar archive, and whether it ends where its file does.

The standard reader takes whatever is no header for the end, so that an archive damaged between two members would pass
for a short one. Here an archive ends with its mark, two empty blocks and only zeros behind, or is said to be damaged.
"""

import tarfile
from pathlib import Path

from natslib.errors import BadSource

BLOCK = 512
_DAMAGE = (tarfile.TarError, EOFError, ValueError, OverflowError, MemoryError)


def read_tar(source: Path) -> tuple[list[tuple[str, int, int]], str]:
    """Return name, offset and size of a tar's files, and what ended it early ('' where nothing did).

    Raises `BadSource` for what is no tar, and for one with absolute names, `..`, links, holes or anything that is not
    a plain file or folder.
    """
    try:
        tar = tarfile.open(source, "r:")  # noqa: SIM115
    except _DAMAGE as error:
        raise BadSource(
            f"{source}: not an uncompressed tar archive ({error!s:.120}); unpack it and convert the folder"
        ) from None
    found: list[tuple[str, int, int]] = []
    whole = source.stat().st_size
    with tar:
        try:
            for member in tar:
                _refuse_unsafe(source, member)
                if member.size < 0 or member.offset_data + member.size > whole:
                    return found, f"its member {member.name[:200]!r} reaches beyond its end; it was cut short"
                if member.isfile():
                    found.append((Path(member.name).name, member.offset_data, member.size))
        except _DAMAGE as error:
            return found, f"a damaged header follows at offset {tar.offset:,} ({error!s:.120})"
        return found, _early_end(source, tar.offset)


def _refuse_unsafe(source: Path, member: tarfile.TarInfo) -> None:
    plain = (member.isreg() and not member.issparse()) or member.isdir()
    if member.name.startswith(("/", "\\")) or ".." in Path(member.name).parts or not plain:
        raise BadSource(
            f"{source}: refused, its member {member.name[:200]!r} is a link, a device or has holes, or lies outside "
            "the archive's folder"
        )


def _early_end(source: Path, offset: int) -> str:
    """Return what is wrong with the end of a tar whose last readable member ends at `offset`, '' if nothing is."""
    with source.open("rb") as file:
        file.seek(offset)
        mark = file.read(2 * BLOCK)
        if mark[:BLOCK].strip(b"\0"):
            return f"bytes that are no member follow its last readable one at offset {offset:,}"
        if mark[BLOCK:].strip(b"\0"):
            return f"bytes follow a lone empty block at offset {offset:,}"
        if len(mark) < 2 * BLOCK:
            return f"its end mark is missing at offset {offset:,}; it was cut short"
        while rest := file.read(2**20):
            if rest.strip(b"\0"):
                return f"bytes follow its end mark at offset {offset:,}, such as of another archive"
    return ""
