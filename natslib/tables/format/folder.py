"""The folder of a table: is it whole, is it ours, and are its bytes those that its manifest tells of?"""

import contextlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from natslib.errors import BadSource, NatslibError
from natslib.files import read_json, sha256
from natslib.tables.format.schema import FORMAT, Block
from natslib.tables.format.writing import read_metadata

MANIFEST, FINALS_FILE = "manifest.json", "finals.parquet"
_KEYS = {  # what a manifest holds
    "format": int, "space": str, "origin": str, "fingerprint": str, "source": dict, "architectures": dict, "rows": int,
    "blocks": list, "costs": dict, "damaged": list, "sha256": dict, "versions": dict,
}  # fmt: skip


@contextlib.contextmanager
def reading(name: object) -> Iterator[None]:
    """Turn what a damaged file makes its readers raise into `BadSource` with the file's name."""
    try:
        yield
    except NatslibError:
        raise
    except (OSError, ValueError, LookupError, TypeError, RecursionError, pa.ArrowException) as error:
        reason = " ".join(str(error).split()) or type(error).__name__
        raise BadSource(f"{name}: cannot be read, it is damaged or altered ({reason:.300})") from None


def open_folder(folder: Path) -> tuple[pq.ParquetFile, dict[str, Any]]:
    """Return the finals and the manifest of a finished table; raises `BadSource` where they are not whole.

    Files are looked for, not read: `altered_files` compares their bytes.
    """
    for name in (MANIFEST, FINALS_FILE):
        if not (folder / name).is_file():
            raise BadSource(f"{folder}: no finished table here ({folder / name} is missing)")
    manifest = read_manifest(folder)
    with reading(folder / FINALS_FILE):
        finals = pq.ParquetFile(folder / FINALS_FILE, memory_map=True)
        _check_finals(finals, manifest, folder)
    return finals, manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a table whose files are all there; raises `BadSource`."""
    with reading(folder / MANIFEST):
        return _checked(read_json(folder / MANIFEST, "manifest of a table"), folder)


def curve_files(manifest: dict[str, Any]) -> list[str]:
    """Return the names of the files of curves that a manifest lists, by ascending architecture index."""
    return sorted(name for name in manifest["sha256"] if name != FINALS_FILE)


def altered_files(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Return the names of the files whose bytes are not those that the manifest tells of; reads them all."""
    altered = []
    for name, digest in manifest["sha256"].items():
        with reading(folder / name):
            if sha256(folder / name) != digest:
                altered.append(name)
    return altered


def _checked(manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    for key, kind in _KEYS.items():
        if not isinstance(manifest.get(key), kind):
            raise BadSource(
                f"{path}: not the manifest of a table, {key!r} is missing or no {kind.__name__}; convert again"
            )
    if manifest["format"] != FORMAT:
        raise BadSource(
            f"{path}: table format {manifest['format']}, this natslib reads {FORMAT}; remove it and convert again"
        )
    for name in (FINALS_FILE, *manifest["sha256"]):
        if name not in manifest["sha256"] or not (name == FINALS_FILE or _names_curves(name)):
            raise BadSource(f"{path}: the files it lists are not those of a table: {name!r}")
        if not (folder / name).is_file():
            raise BadSource(
                f"{folder}: the table is not whole, {name} is missing; remove it and convert again"
            )
    return manifest


def _names_curves(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parts == ("curves", path.name) and path.suffix == ".parquet" and path.stem.isdecimal()


def _check_finals(finals: pq.ParquetFile, manifest: dict[str, Any], folder: Path) -> None:
    space, blocks = read_metadata(finals, str(folder / FINALS_FILE))
    meta = finals.metadata
    held = [(block, meta.row_group(group).num_rows) for group, block in enumerate(blocks)]
    told = [(Block(*(entry[key] for key in Block._fields)), entry["rows"]) for entry in manifest["blocks"]]
    if meta.num_row_groups != len(blocks) or held != told or space != manifest["space"]:
        raise BadSource(
            f"{folder}: {FINALS_FILE} does not hold the blocks that {MANIFEST} lists; remove it and convert again"
        )
