"""Small archives in the official layout, copied from the genuine records or invented, that a test may alter."""

import bz2
import pickle
import tarfile
from pathlib import Path
from typing import Any

from bench.records import write_archive, write_meta
from natslib.spaces import get_space

FOLDERS = {"tss": "NATS-tss-v1_0-3ffb9-simple", "sss": "NATS-sss-v1_0-50262-simple"}


def invented(folder: Path, space: str = "tss", number: int = 3) -> Path:
    """Write the folder of an archive of a few architectures, from 0."""
    made = folder / FOLDERS[space]
    write_archive(made, get_space(space), range(number))
    write_meta(made, get_space(space))
    return made


def records_of(folder: Path) -> dict[str, Any]:
    """Return what the single file of a folder's records holds."""

    def unpacked(file: Path) -> Any:
        return pickle.loads(bz2.decompress(file.read_bytes()))

    records = {int(file.name[:6]): unpacked(file) for file in sorted(folder.glob("0*.pickle.pbz2"))}
    meta = unpacked(folder / "meta.pickle.pbz2")
    return meta | {"arch2infos": records, "evaluated_indexes": set(records)}


def whole_file(folder: Path, path: Path) -> Path:
    """Write the single file that the records of a folder would make."""
    path.write_bytes(bz2.compress(pickle.dumps(records_of(folder), protocol=4)))
    return path


def tar_of(folder: Path, path: Path) -> Path:
    """Write the tar that is downloaded instead of a folder."""
    with tarfile.open(path, "w") as tar:
        tar.add(folder, folder.name)
    return path
