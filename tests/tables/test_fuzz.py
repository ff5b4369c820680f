"""Records with bytes changed, cut out and put in: each gives its numbers or is listed as damaged, and nothing else."""

import bz2
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bench.records import official_record, pack
from natslib.errors import BadSource
from natslib.spaces import get_space
from natslib.tables import chunks, convert
from natslib.tables.chunks import Chunk, read_note
from natslib.tables.sources.official import Item

VARIANTS = 30


def spoilt(data: bytes, seed: int, variants: int = VARIANTS) -> Iterator[bytes]:
    """Yield the data with some bytes changed in place, lost, put in or doubled, in turn."""
    rng = np.random.default_rng(seed)
    for variant in range(variants):
        at, length = int(rng.integers(len(data))), int(rng.integers(1, 9))
        new = rng.bytes(length)
        if variant % 4 == 0:
            yield data[:at] + bytes([data[at] ^ 1 << int(rng.integers(8))]) + data[at + 1 :]
        elif variant % 4 == 1:
            yield data[:at] + data[at + length :]
        elif variant % 4 == 2:
            yield data[:at] + new + data[at:]
        else:
            yield data[:at] + new + data[at + length :]


def converted(packed: bytes, index: int, folder: Path) -> tuple[pa.Table, list[dict[str, str]]]:
    """Return the finals of one record and what is damaged in it, converted in this process."""
    path = folder / f"{index:06d}.pickle.pbz2"
    path.write_bytes(packed)
    item = Item(index, path.name, path, 0, len(packed), 0)
    chunk = Chunk((item,), folder / "part.parquet", folder / "curves.parquet")
    chunks._convert_chunk(chunk, frozenset())
    return pq.read_table(chunk.part), read_note(chunk.part)["damaged"]


def check(packed: bytes, index: int, folder: Path, variants: int = VARIANTS) -> None:
    """Spoil a packed record, and what it unpacks to, where no checksum guards the numbers themselves."""
    whole, damaged = converted(packed, index, folder)
    assert whole.num_rows > 0
    assert damaged == []
    for variant in spoilt(packed, index, variants):
        finals, damaged = converted(variant, index, folder)
        assert len(damaged) == 1 or finals.equals(whole)
    for variant in spoilt(bz2.decompress(packed), index, variants):
        finals, damaged = converted(bz2.compress(variant, 1), index, folder)
        assert (finals.num_rows == 0) == (len(damaged) == 1)


@pytest.mark.parametrize("space", ["tss", "sss"])
def test_spoilt_records_are_whole_or_damaged(space: str, tmp_path: Path) -> None:
    check(pack(official_record(get_space(space), 7)), 7, tmp_path)


def test_spoilt_genuine_records_are_whole_or_damaged(shared_data: Path, tmp_path: Path) -> None:
    for path in sorted((shared_data / "official-fragments").rglob("0000*.pickle.pbz2")):
        check(path.read_bytes(), int(path.name[:6]), tmp_path, VARIANTS // 3)


def test_a_spoilt_single_file_is_converted_or_refused(tmp_path: Path) -> None:
    records = {index: official_record(get_space("sss"), index) for index in range(3)}
    whole = bz2.decompress(pack({"arch2infos": records}))
    for number, variant in enumerate(spoilt(whole, 0)):
        source = tmp_path / f"{number}.pickle.pbz2"
        source.write_bytes(bz2.compress(variant, 1))
        try:
            manifest = convert(source, tmp_path / f"t{number}")
        except BadSource:
            continue
        assert manifest["architectures"]["measured"] == 3 or manifest["damaged"]
