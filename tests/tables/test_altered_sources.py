"""A source that changed without a change of its size is not taken for the same; an equal copy of it is."""

import bz2
import os
import shutil
from pathlib import Path

import pytest

from bench.records import official_record, pack, write_archive
from natslib.errors import BadSource, ConfigError
from natslib.spaces import get_space
from natslib.tables import convert
from natslib.tables.chunks import source_of
from natslib.tables.sources.official import list_items
from tests.tables.test_tar import packed

SSS = get_space("sss")


def as_form(form: str, records: Path, source: Path) -> Path:
    """Put five records as one form of an archive at `source`."""
    if form == "folder":
        shutil.copytree(records, source)
    elif form == "tar":
        source = source.with_suffix(".tar")
        source.write_bytes(packed(records))
    else:
        source = source.with_suffix(".pickle.pbz2")
        source.write_bytes(pack({"arch2infos": {index: official_record(SSS, index) for index in range(5)}}))
    return source


@pytest.fixture(scope="module")
def records(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("records") / "a"
    write_archive(folder, SSS, range(5))
    return folder


def altered(source: Path) -> None:
    """Change one byte in place, a second later by the clock of the file."""
    path = source / "000002.pickle.pbz2" if source.is_dir() else source
    changed_ns, data = path.stat().st_mtime_ns, bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(changed_ns + 10**9, changed_ns + 10**9))


@pytest.mark.parametrize("form", ["folder", "tar", "single file"])
def test_a_source_altered_in_place_is_not_answered_from_its_table(
    records: Path, tmp_path: Path, form: str
) -> None:
    source = as_form(form, records, tmp_path / "a")
    first = convert(source, tmp_path / "t", processes=1)
    assert convert(source, tmp_path / "t", processes=1) == first
    altered(source)
    with pytest.raises(ConfigError, match="made from other files; remove it or choose another folder"):
        convert(source, tmp_path / "t", processes=1)


@pytest.mark.parametrize("form", ["folder", "tar", "single file"])
def test_an_equal_copy_with_new_times_is_recognised(records: Path, tmp_path: Path, form: str) -> None:
    source = as_form(form, records, tmp_path / "a")
    first = convert(source, tmp_path / "t", processes=1)
    for path in [source, *source.glob("*")]:
        os.utime(path, ns=(10**18, 10**18))
    assert convert(source, tmp_path / "t", processes=1) == first


@pytest.mark.parametrize("form", ["folder", "tar", "single file"])
def test_a_conversion_is_not_resumed_on_an_altered_source(
    records: Path, tmp_path: Path, form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = as_form(form, records, tmp_path / "a")

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr("natslib.tables.conversion.convert_chunks", interrupt)
        patched.setattr("natslib.tables.conversion.read_whole_file", interrupt)
        with pytest.raises(KeyboardInterrupt):
            convert(source, tmp_path / "t", processes=1)
    (tmp_path / "t/.parts/000000.parquet").touch()  # as if some of it were finished
    altered(source)
    with pytest.raises(ConfigError, match="of other files, or of these before they changed; remove it"):
        convert(source, tmp_path / "t", processes=1)


def test_the_digest_of_a_source_leaves_out_what_cannot_be_read_as_a_conversion_does(
    records: Path, tmp_path: Path
) -> None:
    shutil.copytree(records, tmp_path / "a")
    (tmp_path / "a/000007.pickle.pbz2").write_bytes(b"junk")
    items, _ = list_items(tmp_path / "a")
    assert convert(tmp_path / "a", tmp_path / "t", processes=1)["source"] == source_of(items)


def test_a_table_of_another_version_is_not_taken_for_this_ones(
    records: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    convert(records, tmp_path / "t", processes=1)
    monkeypatch.setattr("natslib.__version__", "99")
    with pytest.raises(ConfigError, match="made from other files"):
        convert(records, tmp_path / "t", processes=1)


def test_a_record_that_stands_twice_in_the_single_file_counts_once(tmp_path: Path) -> None:
    one = official_record(SSS, 3)
    source = tmp_path / "whole.pickle.pbz2"
    source.write_bytes(pack({"arch2infos": {3: one, 4: official_record(SSS, 4), 5: official_record(SSS, 3)}}))
    manifest = convert(source, tmp_path / "t")
    assert manifest["architectures"]["measured"] == 2
    assert [damage["reason"] for damage in manifest["damaged"]] == ["a second record of architecture 3"]


def test_one_damaged_record_of_the_single_file_costs_itself_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    infos = {index: official_record(SSS, index) for index in range(6)}
    results = infos[1]["12"]["all_results"]
    results[("cifar10", -1)] = results.pop(("cifar10", 777))
    source = tmp_path / "whole.pickle.pbz2"
    source.write_bytes(pack({"arch2infos": infos}))
    monkeypatch.setattr("natslib.tables.conversion.CHUNK", 3)

    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:  # before the manifest, when both chunks are done
        patched.setattr("natslib.tables.destination.Destination.finish", interrupt)
        with pytest.raises(KeyboardInterrupt):
            convert(source, tmp_path / "t")
    for dest in ("t", "u"):  # gone on with, and at once
        manifest = convert(source, tmp_path / dest)
        assert manifest["architectures"]["measured"] == 5
        assert [damage["file"] for damage in manifest["damaged"]] == ["whole.pickle.pbz2, record 1"]


def test_two_files_of_one_architecture_are_refused(records: Path, tmp_path: Path) -> None:
    shutil.copytree(records, tmp_path / "a")
    shutil.copy(tmp_path / "a/000003.pickle.pbz2", tmp_path / "a/3.pickle.pbz2")
    with pytest.raises(BadSource, match="claim to be architecture 3"):
        convert(tmp_path / "a", tmp_path / "t")


@pytest.mark.parametrize("name", ["a.tar", "a.pickle.pbz2", "a"])
def test_a_pipe_is_refused_at_once(tmp_path: Path, name: str) -> None:
    os.mkfifo(tmp_path / name)
    with pytest.raises(BadSource, match="a pipe or a device, where a file belongs"):
        convert(tmp_path / name, tmp_path / "t")


def test_bytes_after_the_end_of_a_record_are_damage(records: Path, tmp_path: Path) -> None:
    shutil.copytree(records, tmp_path / "a")
    path = tmp_path / "a/000001.pickle.pbz2"
    path.write_bytes(bz2.compress(bz2.decompress(path.read_bytes()) + b"more"))
    manifest = convert(tmp_path / "a", tmp_path / "t", processes=1)
    assert [damage["reason"] for damage in manifest["damaged"]] == ["bytes follow the end of its pickle"]
