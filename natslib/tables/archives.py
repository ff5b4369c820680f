"""The official archives that are known, as far as public words on them go; and getting one, whole or not at all.

Names and ends of md5 are those of the official packages (`nats_bench` 1.8, `nas_201_api`), where the end is a part of
the name. Sizes are as quoted by users, so are the ids on Google Drive. No md5 of a packed folder (`-simple.tar`) is
public: it is whole if it ends with a tar's mark and has a record an architecture; each record is checked by bzip2 when
it is read.
"""

import hashlib
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from natslib.errors import BadSource, ConfigError, NatslibError, shown, unknown_name
from natslib.files import check_plain, lock
from natslib.spaces import get_space
from natslib.tables.sources import official

PAGE = "https://github.com/D-X-Y/NATS-Bench"
RETRIES = 5  # of a connection that breaks, within one call
_ALLOWED = "a folder, or a URL with file:, http: or https:"


@dataclass(frozen=True)
class Archive:
    """One official file: its space, what it holds, and what is known of it.

    `records`: of architectures, in a packed folder. `md5_end`: the last digits of the md5 of the file. `readable`:
    natslib converts it.
    """

    name: str
    file: str
    space: str
    holds: str
    size: str = "size unknown"
    records: int | None = None
    md5_end: str = ""
    drive_id: str = ""
    readable: bool = True

    @property
    def url(self) -> str:
        """Where it can be downloaded without an account; empty where no such place is known."""
        return f"https://drive.google.com/uc?id={self.drive_id}" if self.drive_id else ""

    @property
    def folder(self) -> str:
        """The name of the folder that a packed one unpacks to."""
        return self.file.removesuffix(".tar")

    def found_in(self, folder: Path) -> list[Path]:
        """Return where it lies in a folder, packed or unpacked."""
        return [place for place in (folder / self.file, folder / self.folder) if place.exists()]

    def by_hand(self, data: Path) -> list[str]:
        """Return what to do to have it in the folder `data`, step by step."""
        if not self.readable:
            return [
                "only torch opens it, running code from it; natslib does not read it",
                f"the same cells by the same indices are in another archive: natslib fetch {self.space}",
            ]
        page = f"https://drive.google.com/file/d/{self.drive_id}/view" if self.drive_id else PAGE
        where = "" if self.drive_id else ', where "Download" leads to the shared folder with it'
        return [
            f"open {page} in a browser{where}",
            f"download {self.file} ({self.size}), and wait until it is whole: until then it has another name",
            f"put it into {data}/ under this name, or unpack it there to {self.folder}/"
            if self.records
            else f"put it into {data}/ under this name",
            f"natslib fetch {self.name} --data {data}    (verifies it, and makes a table of it)",
        ]

    def told(self) -> dict[str, Any]:
        """Return what is known of it, for JSON."""
        return {**asdict(self), "url": self.url}


def _of_nats_bench(space: str, end: str, size: str, drive_id: str) -> list[Archive]:
    base, title, records = f"NATS-{space}-v1_0-{end}", get_space(space).title, len(get_space(space))
    every = f"{title} space: every epoch of every run"
    return [
        Archive(space, f"{base}-simple.tar", space, every, size, records, drive_id=drive_id),
        Archive(f"{space}-whole", f"{base}.pickle.pbz2", space, f"{every}, in one file", md5_end=end),
        Archive(f"{space}-full", f"{base}-full.tar", space, f"{every}, and trained weights", records=records),
    ]


ARCHIVES: dict[str, Archive] = {
    archive.name: archive
    for archive in (
        *_of_nats_bench("tss", "3ffb9", "1.3 GB", "17_saCsj_krKjlCBLOJEpNtzPXArMCqxU"),
        *_of_nats_bench("sss", "50262", "1.1 GB", "1scOMTUwcQhAMa_IMedp9lTzwmgqHLGgA"),
        *(
            Archive(
                f"nas-bench-201-{version}",
                f"NAS-Bench-201-{version}-{end}.pth",
                "tss",
                f"topology space, {holds}",
                size,
                md5_end=end,
                readable=False,
            )
            for version, end, size, holds in (
                ("v1_0", "e61699", "2.2 GB", "200 epochs"),
                ("v1_1", "096897", "4.7 GB", "200 and 12 epochs"),
            )
        ),
    )
}


class ByHand(NatslibError):
    """An archive that natslib cannot get; `steps` says how a person can."""

    def __init__(self, reason: str, steps: list[str]) -> None:
        super().__init__(reason)
        self.steps = steps


def get_archive(name: str) -> Archive:
    """Return the archive of that name, or whose file or folder is called that; raises `UnknownName`."""
    for archive in ARCHIVES.values():
        if name in (archive.name, archive.file, archive.folder):
            return archive
    raise unknown_name("archive", name, ARCHIVES)


def fetch(
    archive: Archive, data: Path, *, source: str | None = None, verify: bool = True, progress: bool = False
) -> Path:
    """Return the file or folder of an archive, verified; what `data` does not hold is downloaded into it.

    `source`: a folder or URL that has it under its own name, instead of its public place; a folder's file is used where
    it lies. Without `verify`, an md5 or a number of records other than the official one passes; what is cut short never
    does. Interrupted, the same call goes on. Raises `ByHand` where it cannot be had, `BadSource` for what is not it.
    """
    if not archive.readable:
        raise ByHand(f"natslib does not read {archive.file}", archive.by_hand(data))
    if there := archive.found_in(data):
        return check(archive, there[0], verify=verify)
    if source is not None and (folder := _local(source)) is not None:
        return check(archive, _in_mirror(archive, folder), verify=verify)
    url = archive.url if source is None else f"{source.rstrip('/')}/{archive.file}"
    if not url:
        raise ByHand(
            f"no place is known from where {archive.file} comes without an account", archive.by_hand(data)
        )
    busy = f"another process fetches {archive.file} into {data}: wait for it"
    with lock(data / f".{archive.file}.lock", busy=busy):
        arrived = data / f".{archive.file}.arrived"
        _download(url, arrived, archive, data, progress=progress)
        try:
            check(archive, arrived, verify=verify)
        except BadSource as error:
            arrived.unlink()
            raise BadSource(f"{url}: {error}; it is removed, try again or by hand") from None
        return arrived.rename(data / archive.file)


def _local(source: str) -> Path | None:
    """Return the folder that is meant, None for a URL of the web; raises `ConfigError` for another kind of URL."""
    if not re.match("[A-Za-z][A-Za-z0-9+.-]+:", source):
        return Path(source)
    parts = urlsplit(source)
    if parts.scheme in ("http", "https"):
        return None
    if parts.scheme != "file" or parts.netloc not in ("", "localhost"):
        raise ConfigError(f"{shown(source)} was given; allowed is {_ALLOWED}")
    return Path(unquote(parts.path))


def _in_mirror(archive: Archive, folder: Path) -> Path:
    if there := archive.found_in(folder):
        return there[0]
    raise BadSource(f"{folder}: neither {archive.file} nor {archive.folder}/ in it")


def check(archive: Archive, place: Path, *, verify: bool = True) -> Path:
    """Return the file or folder if it is the whole archive, or else raise `BadSource` that says what it is."""
    if archive.records is not None:
        items, damaged = official.list_items(place)
        if damaged:
            raise BadSource(f"{place}: not all of it ({damaged[0]['reason']})")
        if verify and len(items) != archive.records:
            raise BadSource(f"{place}: {len(items):,} records, {archive.file} has {archive.records:,}")
    elif archive.md5_end:
        check_plain(place)
        with place.open("rb") as file:
            found = hashlib.file_digest(file, "md5").hexdigest()
        if verify and not found.endswith(archive.md5_end):
            raise BadSource(
                f"{place}: its md5 {found} does not end in {archive.md5_end}, as that of {archive.file} does: it is "
                "another file, or not all of it"
            )
    return place


def _download(url: str, to: Path, archive: Archive, data: Path, *, progress: bool) -> None:
    """Download a file, or what of it is not there yet; it has its name when all of it has come."""
    import gdown  # only here: nothing else needs the network

    try:
        gdown.download(
            url, str(to), quiet=not progress, use_cookies=False, resume=True, retries=RETRIES, timeout=60
        )
    except (OSError, gdown.exceptions.DownloadError, gdown.exceptions.FileURLRetrievalError) as error:
        reason = " ".join(str(error).split())
        raise ByHand(
            f"cannot download {url} ({reason:.300}); what has come is kept, and the same command goes on with it",
            archive.by_hand(data),
        ) from error
