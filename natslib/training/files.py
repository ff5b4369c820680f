"""Dataset files: found where the user keeps them or fetched, checked against their md5, opened without running code."""

import fcntl
import hashlib
import io
import pickle
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from natslib.errors import BadSource

#: What pickled CIFAR and down-sampled ImageNet batches are made of; anything else is refused.
_ALLOWED = {
    (module, name)
    for module in ("numpy.core.multiarray", "numpy._core.multiarray", "numpy")
    for name in ("_reconstruct", "ndarray", "dtype")
} | {("_codecs", "encode")}


@dataclass(frozen=True)
class DataFile:
    """A file of a dataset: its path below the data folder, its md5, and the address of the file or of its archive.

    `archive_md5` is that of the archive, which is unpacked in the data folder; None when `url` is the file itself.
    `url` is None for a file that cannot be fetched without an account: `where` says where to get it.
    """

    path: str
    md5: str
    url: str | None
    archive_md5: str | None = None
    where: str = ""


def md5_of(path: Path) -> str:
    """Return the md5 of a file as 32 hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "md5").hexdigest()


def fetch(file: DataFile, url: str, root: Path) -> None:
    """Download a file, or the archive that holds it, into `root` with a progress bar; raises `BadSource`."""
    import pooch  # only here: nothing else needs the network

    archive = file.archive_md5 is not None
    target = root if archive else (root / file.path).parent
    name = url.rsplit("/", 1)[1] if archive else Path(file.path).name
    unpack = pooch.Untar(extract_dir=".") if archive else None
    try:
        pooch.retrieve(
            url,
            f"md5:{file.archive_md5 or file.md5}",
            fname=name,
            path=target,
            processor=unpack,
            progressbar=True,
        )
    except (OSError, ValueError) as error:
        raise BadSource(f"cannot fetch {url} to {target}: {error}") from error


@contextmanager
def alone(root: Path) -> Iterator[None]:
    """Wait until no other process fetches into `root`; raises `BadSource` where nothing can be written."""
    try:
        root.mkdir(parents=True, exist_ok=True)
        handle = (root / ".fetch.lock").open("w")
    except OSError as error:
        raise BadSource(f"cannot write to {root}: {error}") from error
    with handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def checked(file: DataFile, root: Path, *, verify: bool) -> Path:
    """Return the path of a dataset's file, fetched when it is missing; raises `BadSource` for a wrong checksum.

    Processes that start together fetch it once: the others wait. `verify=False` accepts a file of other content (say,
    recompressed images); the log's stamp then says so.
    """
    path = root / file.path
    fault = _fault(file, path, verify=verify)
    if fault and file.url is not None:
        with alone(root):  # another process may be unpacking just what is missing or incomplete here
            if not path.is_file():
                fetch(file, file.url, root)
        fault = _fault(file, path, verify=verify)
    if fault:
        raise BadSource(fault)
    return path


def _fault(file: DataFile, path: Path, *, verify: bool) -> str:
    """Return what is wrong with a file on the disk, '' when nothing is."""
    if not path.is_file():
        return f"{path} is missing " + (
            f"after {file.url} was fetched" if file.url else f"and cannot be fetched: {file.where}"
        )
    if verify and (found := md5_of(path)) != file.md5:
        remedy = f"; remove it, and {file.url} is fetched" if file.url else ""
        return f"{path} has the md5 {found}; allowed is {file.md5}{remedy}"
    return ""


class _PlainUnpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) not in _ALLOWED:
            raise BadSource(f"it wants to run {module}.{name}; allowed are plain containers and numpy arrays")
        return super().find_class(module.replace("numpy.core", "numpy._core"), name)


def open_batch(path: Path) -> dict[bytes, Any]:
    """Return the dict of a pickled batch, keys as bytes; raises `BadSource` when it is damaged or holds code."""
    try:
        batch = _PlainUnpickler(io.BytesIO(path.read_bytes()), encoding="bytes").load()
    except (pickle.UnpicklingError, EOFError, ValueError, AttributeError, IndexError, TypeError) as error:
        raise BadSource(f"{path} is not a pickled batch of images: {error}") from error
    except BadSource as error:
        raise BadSource(f"{path} is refused: {error}") from None
    if not isinstance(batch, dict):
        raise BadSource(f"{path} holds a {type(batch).__name__}; allowed is a dict of images and labels")
    return {key.encode() if isinstance(key, str) else key: value for key, value in batch.items()}
