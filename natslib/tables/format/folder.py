"""The folder of a table: is it whole, is it ours, and are its bytes those that its manifest tells of?"""

import hashlib
import json
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa

import natslib
from natslib.errors import BadSource, shown
from natslib.files import check_plain, read_json, sha256
from natslib.tables.format.column_file import ColumnFile, footer_digest, reading
from natslib.tables.format.limits import check_size
from natslib.tables.format.schema import FINALS, FORMAT, Block
from natslib.tables.format.writing import read_metadata

MANIFEST, FINALS_FILE = "manifest.json", "finals.parquet"
_KEYS = {  # what a manifest holds
    "format": int, "space": str, "origin": str, "fingerprint": str, "source": dict, "architectures": dict, "rows": int,
    "blocks": list, "costs": dict, "damaged": list, "sha256": dict, "footers": dict, "versions": dict,
}  # fmt: skip


def open_folder(folder: Path) -> tuple[ColumnFile, dict[str, Any]]:
    """Return the finals and the manifest of a finished table; raises `BadSource` where they are not whole.

    Of the finals the footer is compared with the manifest, and each page with its checksum when it is read. The files
    of curves are looked for, not read. `altered_files` compares all bytes.
    """
    for name in (MANIFEST, FINALS_FILE):
        if not (folder / name).exists():
            raise BadSource(f"{folder}: no finished table here ({folder / name} is missing)")
        check_plain(folder / name)
    manifest = read_manifest(folder)
    finals = ColumnFile.open(folder / FINALS_FILE, manifest["footers"][FINALS_FILE])
    with reading(finals.name):
        _check_finals(finals, manifest, folder)
    return finals, manifest


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a table whose files are all there; raises `BadSource`."""
    with reading(folder / MANIFEST):
        return _checked(read_json(folder / MANIFEST, "manifest of a table"), folder)


def curve_footers(manifest: dict[str, Any]) -> dict[str, str]:
    """Return the footers' SHA-256 by name of the files of curves that a manifest lists, names ascending."""
    return {name: digest for name, digest in sorted(manifest["footers"].items()) if name != FINALS_FILE}


def altered_files(folder: Path, manifest: dict[str, Any]) -> list[str]:
    """Return the names of the files whose bytes are not those that the manifest tells of; reads them all."""
    altered = []
    for name, digest in manifest["sha256"].items():
        with reading(folder / name):
            if sha256(folder / name) != digest:
                altered.append(name)
    return altered


def file_digests(folder: Path, names: list[str]) -> dict[str, dict[str, str]]:
    """Return what a manifest tells of its files: the SHA-256 of each, and of each one's footer."""
    digests: dict[str, dict[str, str]] = {"sha256": {}, "footers": {}}
    for name in names:
        digests["sha256"][name] = sha256(folder / name)
        digests["footers"][name] = footer_digest(pa.memory_map(str(folder / name)).read_buffer())
    return digests


def _checked(manifest: dict[str, Any], folder: Path) -> dict[str, Any]:
    path = folder / MANIFEST
    if type(told := manifest.get("format")) is int and told != FORMAT:
        raise BadSource(
            f"{path}: table format {shown(told)}, this natslib reads {FORMAT}; remove it and convert again"
        )
    for key, kind in _KEYS.items():
        if type(manifest.get(key)) is not kind:
            raise BadSource(
                f"{path}: not the manifest of a table, {key!r} is missing or no {kind.__name__}; convert again"
            )
    _check_told(manifest, path)
    for name in (FINALS_FILE, *manifest["sha256"]):
        if name not in manifest["sha256"] or not (name == FINALS_FILE or _names_curves(name)):
            raise BadSource(f"{path}: the files it lists are not those of a table: {shown(name)}")
        if not (folder / name).exists():
            raise BadSource(
                f"{folder}: the table is not whole, {name} is missing; remove it and convert again"
            )
        check_plain(folder / name)
    if set(manifest["footers"]) != set(manifest["sha256"]):
        raise BadSource(f"{path}: 'footers' tells of other files than 'sha256'")
    return manifest


def _check_told(manifest: dict[str, Any], path: Path) -> None:
    """Raise `BadSource` where what is told of files, architectures and damage is of another type than it should be."""
    digests, footers, archs = manifest["sha256"], manifest["footers"], manifest["architectures"]
    texts = [*digests.values(), *footers.values(), manifest["source"].get("name", "")]
    for key, whole in (
        ("sha256", set(map(type, texts)) == {str}),
        ("architectures", type(archs.get("measured")) is int and _holds(archs.get("missing"), str)),
        ("damaged", _holds(manifest["damaged"], dict) and all(map(_tells_of_damage, manifest["damaged"]))),
        ("blocks", _holds(manifest["blocks"], dict)),
    ):
        if not whole:
            raise BadSource(f"{path}: not the manifest of a table, {key!r} holds values of another type")


def _holds(values: object, kind: type) -> bool:
    return isinstance(values, list) and set(map(type, values)) <= {kind}


def _tells_of_damage(entry: dict[str, Any]) -> bool:
    return set(map(type, (entry.get("file"), entry.get("reason")))) == {str}


def _names_curves(name: str) -> bool:
    path = PurePosixPath(name)
    return path.parts == ("curves", path.name) and path.suffix == ".parquet" and path.stem.isdecimal()


def _check_finals(finals: ColumnFile, manifest: dict[str, Any], folder: Path) -> None:
    space, blocks = read_metadata(finals)
    check_size(finals.metadata, len(space), finals.name)
    held = [(block, finals.metadata.row_group(group).num_rows) for group, block in enumerate(blocks)]
    told = [(Block(*(entry[key] for key in Block._fields)), entry["rows"]) for entry in manifest["blocks"]]
    if held != told or space.name != manifest["space"]:
        raise BadSource(
            f"{folder}: {FINALS_FILE} does not hold the blocks that {MANIFEST} lists; remove it and convert again"
        )
    for field in FINALS:
        if field.name not in finals.schema.names or finals.schema.field(field.name).type != field.type:
            raise BadSource(f"{finals.name}: its column {field.name!r} is missing or of another type")


def fingerprint(*facts: Any) -> str:
    """Return a digest of what a table depends on: the source's files and this version's ways."""
    return hashlib.sha256(json.dumps([FORMAT, natslib.__version__, *facts]).encode()).hexdigest()
