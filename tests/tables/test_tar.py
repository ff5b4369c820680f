"""A tar that ends before its file does gives what came before, and says so: exit code, message, manifest, info."""

import io
import tarfile
from pathlib import Path

import pytest

from bench.records import write_archive
from natslib.commands import main
from natslib.errors import BadSource
from natslib.spaces import get_space
from natslib.tables import convert
from natslib.tables.sources.tar import read_tar


def packed(folder: Path, form: int = tarfile.GNU_FORMAT) -> bytes:
    """A tar of the files of a folder by name."""
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, f"NATS-sss/{path.name}")
    return stream.getvalue()


def members(whole: bytes) -> list[tarfile.TarInfo]:
    with tarfile.open(fileobj=io.BytesIO(whole)) as tar:
        return tar.getmembers()


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    folder = tmp_path_factory.mktemp("records")
    write_archive(folder, get_space("sss"), range(5))
    return packed(folder)


def end_of(whole: bytes) -> int:
    last = members(whole)[-1]
    return last.offset_data + -(-last.size // 512) * 512


def flipped(data: bytes, position: int) -> bytes:
    return data[:position] + bytes([data[position] ^ 1]) + data[position + 1 :]


EARLY_ENDS = {  # what is made of a whole tar, how many records are read, what is said
    "a bit of a header": (lambda tar: flipped(tar, members(tar)[3].offset + 10), 3, "follow its last readable one"),
    "a bit of a size": (lambda tar: flipped(tar, members(tar)[2].offset + 130), 2, "follow its last readable one"),
    "a bit of a checksum": (lambda tar: flipped(tar, members(tar)[4].offset + 150), 4, "follow its last readable"),
    "an empty header": (
        lambda tar: tar[: (at := members(tar)[2].offset)] + bytes(512) + tar[at + 512 :], 2, "a lone empty block",
    ),
    "two empty blocks between": (
        lambda tar: tar[: (at := members(tar)[2].offset)] + bytes(1024) + tar[at:], 2, "bytes follow its end mark",
    ),
    "no end mark": (lambda tar: tar[: end_of(tar)], 5, "its end mark is missing"),
    "half an end mark": (lambda tar: tar[: end_of(tar) + 512], 5, "its end mark is missing"),
    "cut between members": (lambda tar: tar[: members(tar)[3].offset], 3, "its end mark is missing"),
    "cut in a header": (lambda tar: tar[: members(tar)[3].offset + 100], 3, "follow its last readable one"),
    "cut in a record": (lambda tar: tar[: members(tar)[3].offset_data + 100], 3, "reaches beyond its end"),
    "bytes behind the mark": (lambda tar: tar + b"more", 5, "bytes follow its end mark"),
    "bytes far behind the mark": (lambda tar: tar + bytes(3 * 2**20) + b"more", 5, "bytes follow its end mark"),
    "another tar behind": (lambda tar: tar + tar, 5, "bytes follow its end mark"),
    "a block lost": (lambda tar: tar[: (at := members(tar)[1].offset_data)] + tar[at + 512 :], 2, "follow its last"),
    "a block doubled": (
        lambda tar: tar[: (at := members(tar)[1].offset_data)] + tar[at - 512 :], 2, "follow its last readable one",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("spoil", "read", "message"), EARLY_ENDS.values(), ids=EARLY_ENDS.keys())
def test_every_early_end_is_found(whole: bytes, tmp_path: Path, spoil, read, message) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "in.tar").write_bytes(spoil(whole))
    found, damage = read_tar(tmp_path / "in.tar")
    assert len(found) == read
    assert message in damage


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_a_whole_tar_of_any_form_is_whole(whole: bytes, tmp_path: Path, form: int) -> None:
    folder = tmp_path / "records"
    folder.mkdir()
    for name in ("000000.pickle.pbz2", "notes of a hundred and more characters " + 3 * "ü" + "x" * 50):
        (folder / name).write_bytes(name.encode())
    for content in (packed(folder, form), packed(folder, form) + bytes(5 * 512), whole):
        (tmp_path / "in.tar").write_bytes(content)
        assert read_tar(tmp_path / "in.tar")[1] == ""


def test_damage_stands_in_message_manifest_and_info(
    whole: bytes, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "in.tar").write_bytes(flipped(whole, members(whole)[2].offset))
    reason = f"at offset {members(whole)[2].offset:,}; 2 records read, the rest not"
    for _ in range(2):  # a finished table says so again
        assert main(["convert", str(tmp_path / "in.tar"), str(tmp_path / "t"), "--processes", "1"]) == 3
        out, err = capsys.readouterr()
        assert "130 rows of 2 architectures" in out
        assert "left out in.tar: bytes that are no member follow its last readable one " + reason in err
    assert main(["info", str(tmp_path / "t")]) == 0
    told = capsys.readouterr().out
    assert "damaged     1 files\n            in.tar: bytes that are no member" in told
    assert reason in told


def test_info_names_the_first_damaged_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_archive(tmp_path / "a", get_space("sss"), [0])
    for index in range(1, 6):
        (tmp_path / f"a/{index:06d}.pickle.pbz2").write_bytes(b"junk")
    convert(tmp_path / "a", tmp_path / "t", processes=1)
    main(["info", str(tmp_path / "t")])
    told = capsys.readouterr().out
    assert told.count("not a whole bz2 file") == 3
    assert "and 2 more; `natslib info --json` lists all" in told


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "a.tar",
            b"\x1f\x8b" + bytes(600),
            "not an uncompressed tar archive .*unpack it and convert the folder",
        ),
        ("a.tar", bytes(10240), r"no record named like 000000\.pickle\.pbz2 in it$"),
        ("a.tar", b"", "not an uncompressed tar archive"),
        ("a.tar.gz", b"x", "a packed archive; unpack it and convert the folder"),
        ("a.tar.bz2", b"x", "a packed archive"),
        ("a.TGZ", b"x", "a packed archive"),
        ("a.zip", b"x", ".zip is not read; unpack it first"),
    ],
)
def test_other_containers_are_refused_with_the_way_out(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(BadSource, match=message):
        convert(tmp_path / name, tmp_path / "t")


def test_the_case_of_a_damaged_tar(
    shared_cases: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = shared_cases / "a02-damaged-tar/in.tar"
    assert main(["convert", str(source), str(tmp_path / "t"), "--processes", "1"]) == 3
    assert "at offset 496,640; 5 records read, the rest not" in capsys.readouterr().err
    main(["info", str(tmp_path / "t")])
    assert "at offset 496,640; 5 records read, the rest not" in capsys.readouterr().out
