"""Converting: every form of an archive, damage, interruption, full disks."""

import bz2
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import tarfile
import time
from pathlib import Path

import numpy as np
import pytest

from bench.records import SEEDS, official_record, pack, write_archive
from natslib.errors import BadSource, ConfigError, NatslibError
from natslib.files import lock
from natslib.spaces import get_space
from natslib.tables import chunks, convert, load
from tests.tables.test_unpickle import call, nested_tuple

TSS = get_space("tss")
ROOT = Path(__file__).resolve().parents[2]
ARCHS, ROWS = 520, 52  # of an archive, and of each architecture


@pytest.fixture(scope="session")
def archive(tmp_path_factory) -> Path:
    """Enough small records for two chunks."""
    folder = tmp_path_factory.mktemp("archive") / "NATS-sss-simple"
    folder.mkdir()
    with pytest.MonkeyPatch.context() as patched:
        patched.delitem(SEEDS["sss"], "90")
        for index in range(0, 3 * ARCHS, 3):
            record = pack(official_record(get_space("sss"), index))
            (folder / f"{index:06d}.pickle.pbz2").write_bytes(record)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="session")
def table(archive, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("table") / "t"
    convert(archive, folder, processes=2)
    return folder


def test_a_finished_table_has_finals_curves_and_a_manifest_of_their_bytes(table):
    manifest = json.loads((table / "manifest.json").read_text())
    assert set(contents(table)) == {"manifest.json", "croissant.json", *manifest["sha256"]}
    assert set(manifest["sha256"]) == {"finals.parquet", "curves/000000.parquet", "curves/001536.parquet"}
    assert manifest["architectures"]["measured"] == ARCHS
    assert manifest["architectures"]["missing"][:3] == ["1-2", "4-5", "7-8"]
    assert manifest["rows"] == sum(block["rows"] for block in manifest["blocks"]) == ARCHS * ROWS
    assert manifest["damaged"] == []
    listing = subprocess.run(
        ["sha256sum", *manifest["sha256"]], cwd=table, capture_output=True, text=True, check=True
    )
    assert {line.split()[1]: line.split()[0] for line in listing.stdout.splitlines()} == manifest["sha256"]


def test_the_numbers_are_those_of_the_records(archive, table):
    opened, record = load(table), official_record(get_space("sss"), 33)
    trial = record["12"]["all_results"][("cifar100", 888)]
    where = {"dataset": "cifar100", "recipe": "12", "seed": 888}
    assert opened.value("accuracy", 33, split="test", **where) == trial["eval_acc1es"]["x-test@11"]
    assert opened.value("loss", 33, split="valtest", **where) == trial["eval_losses"]["ori-test@11"]
    assert opened.value("top5", 33, split="train", **where) == trial["train_acc5es"][11]
    half_way = opened.value("accuracy", 33, split="valid", epoch=5, **where)
    assert half_way == np.float32(trial["eval_acc1es"]["x-valid@5"])


@pytest.mark.parametrize("form", ["tar", "tar inside a folder", "unpadded names", "one process"])
def test_every_form_of_the_archive_gives_the_same_table(archive, table, tmp_path, form):
    source = tmp_path / archive.name
    if form.startswith("tar"):
        source = source.with_suffix(".tar")
        with tarfile.open(source, "w") as tar:
            tar.add(archive, arcname=archive.name if form.endswith("folder") else ".")
    else:
        source.mkdir()
        for path in archive.iterdir():
            name = (
                path.name.lstrip("0")
                if form == "unpadded names" and not path.name.startswith("000000")
                else path.name
            )
            os.link(path, source / name)
    convert(source, tmp_path / "t", processes=1 if form == "one process" else 2)
    for name in ("finals.parquet", "curves/000000.parquet", "curves/001536.parquet"):
        assert (tmp_path / "t" / name).read_bytes() == (table / name).read_bytes()


def test_the_single_official_file_gives_the_same_table(archive, table, tmp_path):
    infos = {
        int(path.name[:6]): pickle.loads(bz2.decompress(path.read_bytes()))
        for path in sorted(archive.iterdir())
    }
    whole = {"meta_archs": list(get_space("sss").strings()), "total_archs": 32768, "arch2infos": infos}
    source = tmp_path / "NATS-sss-v1_0-50262.pickle.pbz2"
    source.write_bytes(pack(whole | {"evaluated_indexes": set(infos)}))
    manifest = convert(source, tmp_path / "t")
    for name in ("finals.parquet", "curves/000000.parquet", "curves/001536.parquet"):
        assert (tmp_path / "t" / name).read_bytes() == (table / name).read_bytes()
    assert list(manifest["source"]) == ["sha256"]


def test_damage_inside_the_single_file_is_listed_and_the_rest_kept(archive, tmp_path):
    space = get_space("sss")
    infos = {index: official_record(space, index) for index in (0, 1, 2, 3)}
    infos[1]["12"]["arch_str"] = space.string(9)
    source = tmp_path / "whole.pickle.pbz2"
    packed = pack({"arch2infos": infos})
    source.write_bytes(packed)
    manifest = convert(source, tmp_path / "t")
    assert [damage["file"] for damage in manifest["damaged"]] == ["whole.pickle.pbz2, record 1"]
    assert manifest["architectures"]["measured"] == 3
    many = pack({"arch2infos": {index: official_record(space, index) for index in range(40)}})
    source.write_bytes(many[: len(many) * 9 // 10])
    manifest = convert(source, tmp_path / "cut")
    assert 0 < manifest["architectures"]["measured"] < 40
    assert "whole.pickle.pbz2: not a readable archive" in manifest["damaged"][0]["reason"]


def test_a_single_file_that_fills_the_memory_is_stopped(tmp_path, monkeypatch):
    monkeypatch.setattr("natslib.tables.sources.unpickle.MAX_MEMORY", 100 * 2**20)
    source = tmp_path / "whole.pickle.pbz2"
    source.write_bytes(bz2.compress(b"\x80\x04" + b"]" * 6_000_000 + b"."))
    with pytest.raises(BadSource, match="MemoryError"):
        convert(source, tmp_path / "t")


def test_a_single_file_that_goes_on_without_a_record_is_stopped(tmp_path, monkeypatch):
    """Some hundred bytes unpack to instructions that take minutes."""
    source = tmp_path / "whole.pickle.pbz2"
    source.write_bytes(bz2.compress(b"\x80\x04\x8c\x01x" + b"\x94" * 30_000_000 + b"."))
    assert source.stat().st_size < 700
    monkeypatch.setattr("natslib.tables.sources.single_file.MAX_BETWEEN", 10**6)
    with pytest.raises(BadSource, match="more than 1,000,000 bytes without a record"):
        convert(source, tmp_path / "t")


@pytest.mark.parametrize("position", [0.3, 0.9])
def test_a_damaged_single_file_is_refused_by_name(archive, tmp_path, position):
    packed = bytearray(pack({"arch2infos": {0: official_record(get_space("sss"), 0)}}))
    source = tmp_path / "whole.pickle.pbz2"
    source.write_bytes(packed[: int(len(packed) * position)])
    with pytest.raises(BadSource, match=r"whole\.pickle\.pbz2: not a readable archive"):
        convert(source, tmp_path / "t")
    assert not (tmp_path / "t" / "manifest.json").exists()


@pytest.mark.parametrize(
    "data",
    [
        call("os", "system", "touch trace"),
        nested_tuple(300_000),
        b"\x80\x04\x95" + b"\xff" * 7 + b"\x0f" + b"N.",
        b"\x80\x04Nr\xff\xff\xff\x7f.",
        b"cos\nsystem\n(S'true'\ntR.",
        pickle.dumps({"no": "records"}, protocol=4),
        pickle.dumps(np.zeros(3), protocol=4),
    ],
    ids=[
        "os.system",
        "deep tuple as key",
        "huge frame",
        "huge memo",
        "old-style global",
        "no records",
        "numpy array",
    ],
)
def test_a_hostile_single_file_is_refused(tmp_path, data):
    source = tmp_path / "whole.pickle.pbz2"
    source.write_bytes(bz2.compress(data))
    with pytest.raises(BadSource):
        convert(source, tmp_path / "t")


def damaged_archive(archive: Path, folder: Path) -> dict[str, str]:
    """Copy ten records, spoil some, and return what should be said of each."""
    folder.mkdir()
    for index in range(0, 30, 3):
        (folder / f"{index:06d}.pickle.pbz2").write_bytes((archive / f"{index:06d}.pickle.pbz2").read_bytes())
    name = "{:06d}.pickle.pbz2".format
    whole = (folder / name(3)).read_bytes()
    (folder / name(3)).write_bytes(whole[:-100])
    (folder / name(6)).write_bytes(b"")
    (folder / name(9)).write_bytes((archive / name(12)).read_bytes())
    flipped = bytearray(whole)
    flipped[len(whole) // 2] ^= 1
    (folder / name(15)).write_bytes(flipped)
    (folder / name(18)).write_bytes(bz2.compress(call("os", "system", "touch trace")))
    (folder / name(21)).write_bytes(bz2.compress(nested_tuple(2_000_000)))
    short = official_record(get_space("sss"), 24)
    del short["12"]["all_results"][("cifar100", 777)]["train_losses"][5]
    (folder / name(24)).write_bytes(pack(short))
    return {
        name(3): "cut short",
        name(6): "cut short",
        name(9): "holds architecture 12",
        name(15): "bz2",
        name(18): "os.system",
        name(21): "crash",
        name(24): "the run 'cifar100' 777 at recipe '12' is damaged",
    }


def test_damaged_files_are_named_and_the_rest_is_converted(archive, tmp_path):
    expected = damaged_archive(archive, tmp_path / "a")
    run = natslib("convert", "a", "t", cwd=tmp_path)
    manifest = json.loads((tmp_path / "t" / "manifest.json").read_text())
    assert run.returncode == 3
    assert {damage["file"] for damage in manifest["damaged"]} == set(expected)
    for damage in manifest["damaged"]:
        assert expected[damage["file"]] in damage["reason"]
        assert f"left out {damage['file']}" in run.stderr
    assert manifest["architectures"]["measured"] == 3
    assert not (tmp_path / "trace").exists()
    again = natslib("convert", "a", "t", cwd=tmp_path)
    assert again.returncode == 3, "a finished table with damage says so again"


def natslib(*args: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "natslib", *args]
    return subprocess.run(
        command, cwd=cwd, env=environment(), capture_output=True, text=True, check=False, timeout=300
    )


def environment() -> dict[str, str]:
    return os.environ | {"PYTHONPATH": str(ROOT)}


def test_an_archive_without_one_readable_record_is_refused(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "000000.pickle.pbz2").write_bytes(b"junk")
    with pytest.raises(
        BadSource, match=r"not one readable run in it; the first: 000000\.pickle\.pbz2: not a whole bz2"
    ):
        convert(tmp_path / "a", tmp_path / "t")


@pytest.mark.parametrize(
    "name", ["/etc/000000.pickle.pbz2", "../000000.pickle.pbz2", "a/../../000000.pickle.pbz2"]
)
def test_a_tar_that_points_outside_is_refused(tmp_path, name):
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo(name))
    with pytest.raises(BadSource, match="refused, its member"):
        convert(tmp_path / "bad.tar", tmp_path / "t")


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE])
def test_a_tar_with_links_or_devices_is_refused(tmp_path, kind):
    member = tarfile.TarInfo("a/000000.pickle.pbz2")
    member.type, member.linkname = kind, "/etc/passwd"
    with tarfile.open(tmp_path / "bad.tar", "w") as tar:
        tar.addfile(member)
    with pytest.raises(BadSource, match=r"refused, its member 'a/000000\.pickle\.pbz2' is a link"):
        convert(tmp_path / "bad.tar", tmp_path / "t")


@pytest.mark.parametrize("size", [-5, 2**60, 10_000])
def test_a_tar_whose_member_reaches_beyond_its_end_is_refused(tmp_path, size):
    member = tarfile.TarInfo("000000.pickle.pbz2")
    member.size = size
    (tmp_path / "bad.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT))
    with pytest.raises(BadSource, match=r"bad\.tar"):
        convert(tmp_path / "bad.tar", tmp_path / "t")


def test_a_tar_with_holes_is_refused(tmp_path):
    member = tarfile.TarInfo("000000.pickle.pbz2")
    member.type = tarfile.GNUTYPE_SPARSE
    (tmp_path / "bad.tar").write_bytes(member.tobuf(tarfile.GNU_FORMAT) + b"\x00" * 1024)
    with pytest.raises(BadSource, match=r"bad\.tar"):
        convert(tmp_path / "bad.tar", tmp_path / "t")


def doubling(depth: int, inner: object) -> object:
    """A list of a list of ...: some bytes as a pickle, 2**depth items as text."""
    for _ in range(depth):
        inner = [inner, inner]
    return inner


def change_index(record):
    record["12"]["arch_index"] = 999_999


HOSTILE_RECORDS = {
    "a doubling list as string": lambda record: record["12"].update(arch_str=doubling(60, "x")),
    "a doubling list as index": lambda record: record["12"].update(arch_index=doubling(60, 0)),
    "an enormous index": lambda record: record["12"].update(arch_index=10**5000),
    "another index": change_index,
    "a negative seed": lambda record: retime(record, ("cifar10", 777), ("cifar10", -1)),
    "a seed as text": lambda record: retime(record, ("cifar10", 777), ("cifar10", "888")),
    "an enormous seed": lambda record: retime(record, ("cifar10", 777), ("cifar10", 10**5000)),
    "a doubling list as key": lambda record: retime(record, ("cifar10", 777), ("cifar10", 777, 0)),
    "an unknown dataset": lambda record: retime(record, ("cifar10", 777), ("cifra10", 777)),
    "enormous parameters": lambda record: trial(record).update(params=10**5000),
    "parameters as a list": lambda record: trial(record).update(params=doubling(60, 0)),
    "latency as text": lambda record: trial(record).update(latency="fast"),
    "latency of lists": lambda record: trial(record).update(latency=[doubling(60, 0)]),
    "no epochs": lambda record: trial(record).update(epochs=0),
    "epochs as true": lambda record: trial(record).update(epochs=True),
    "accuracies as text": lambda record: trial(record).update(train_acc1es=dict.fromkeys(range(12), "high")),
    "scattered epochs": lambda record: trial(record)["eval_acc1es"].update({"ori-test@99": 1.0}),
    "results as a list": lambda record: record["12"].update(all_results=[1, 2]),
    "a surrogate as recipe": lambda record: record.update({"\ud800": record["12"]}),
}


def trial(record):
    return record["12"]["all_results"][("cifar10", 777)]


def retime(record, old, new):
    results = record["12"]["all_results"]
    results[new] = results.pop(old)


def test_hostile_records_are_left_out_one_by_one(tmp_path):
    space, source = get_space("sss"), tmp_path / "a"
    write_archive(source, space, [0])
    for index, change in enumerate(HOSTILE_RECORDS.values(), start=1):
        record = official_record(space, index)
        change(record)
        (source / f"{index:06d}.pickle.pbz2").write_bytes(pack(record))
    (source / "999999.pickle.pbz2").write_bytes(pack(official_record(space, 7)))
    manifest = convert(source, tmp_path / "t", processes=1)
    assert manifest["architectures"]["measured"] == 1
    assert len(manifest["damaged"]) == len(HOSTILE_RECORDS) + 1
    assert max(len(damage["reason"]) for damage in manifest["damaged"]) < 400


def test_a_record_that_keeps_a_process_busy_is_ended(tmp_path):
    """A key whose hash takes 2**60 steps inside C code: only the system can end that."""
    pickled = b"\x80\x04})" + b"2\x86" * 60 + b"K\x01s."
    (tmp_path / "000000.pickle.pbz2").write_bytes(bz2.compress(pickled))
    code = (
        "from multiprocessing import Value; from pathlib import Path; from natslib.tables import chunks;"
        "from natslib.tables.sources import official;"
        "chunks.LIMIT_S = 1; chunks._read_on(official.list_items(Path('.'))[0], Value('i', 0))"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), check=False, timeout=60
    )
    assert run.returncode == -signal.SIGALRM


def test_records_of_the_full_archive_lose_their_weights_and_nothing_else(tmp_path):
    torch = pytest.importorskip("torch", reason="torch makes the weights of this test (extra 'train')")
    space = get_space("sss")
    write_archive(tmp_path / "simple", space, [5])
    record = official_record(space, 5)
    weights = torch.nn.Sequential(torch.nn.Conv2d(3, 8, 3), torch.nn.BatchNorm2d(8)).state_dict()
    for part in record.values():
        for run in part["all_results"].values():
            run["net_state_dict"] = weights
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "000005.pickle.pbz2").write_bytes(pack(record))
    for name in ("simple", "full"):
        convert(tmp_path / name, tmp_path / f"t-{name}", processes=1)
    for name in ("finals.parquet", "curves/000005.parquet"):
        assert (tmp_path / "t-full" / name).read_bytes() == (tmp_path / "t-simple" / name).read_bytes()


def test_a_tar_that_is_none_or_was_cut_short_is_refused(archive, tmp_path):
    (tmp_path / "no.tar").write_bytes(b"no tar at all" * 100)
    with pytest.raises(BadSource, match="not an uncompressed tar"):
        convert(tmp_path / "no.tar", tmp_path / "t")


def test_killed_and_started_again_it_gives_the_same_bytes(archive, table, tmp_path):
    command = [sys.executable, "-m", "natslib", "convert", str(archive), "t", "--processes", "2"]
    started = time.monotonic()
    subprocess.run(command, cwd=tmp_path, env=environment(), check=True, capture_output=True)
    seconds = time.monotonic() - started
    rng = random.Random(0)
    for attempt in range(5):
        target = f"t{attempt}"
        process = subprocess.Popen(
            [*command[:-3], target, *command[-2:]],
            cwd=tmp_path,
            env=environment(),
            start_new_session=True,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(rng.uniform(0.2, 1.0) * seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert not (tmp_path / target / "manifest.json").exists() or contents(tmp_path / target) == contents(
            table
        )
        convert(archive, tmp_path / target, processes=2)
        assert contents(tmp_path / target) == contents(table)


def test_ctrl_c_ends_with_a_word_and_keeps_what_is_done(archive, tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-m", "natslib", "convert", str(archive), "t"],
        cwd=tmp_path,
        env=environment(),
        stderr=subprocess.PIPE,
        text=True,
    )
    while not (tmp_path / "t" / ".parts" / "plan").exists():
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=120)
    assert process.returncode == 130
    assert "interrupted; what was finished is kept, run the same again" in stderr
    assert "Traceback" not in stderr


def test_a_finished_chunk_is_not_converted_again(archive, tmp_path, monkeypatch):
    (tmp_path / "t").mkdir()
    real = chunks.convert_chunks
    seen = []

    def stop_after_first(todo, *args):
        seen.append(len(todo))
        real(todo[:1], *args)
        if len(todo) > 1:
            raise KeyboardInterrupt

    monkeypatch.setattr("natslib.tables.conversion.convert_chunks", stop_after_first)
    with pytest.raises(KeyboardInterrupt):
        convert(archive, tmp_path / "t", processes=1)
    convert(archive, tmp_path / "t", processes=1)
    assert seen == [2, 1]


def test_a_folder_begun_from_other_files_is_not_gone_on_with(archive, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("natslib.tables.conversion.convert_chunks", interrupt_after_one)
        with pytest.raises(KeyboardInterrupt):
            convert(archive, tmp_path / "t", processes=1)
    write_archive(tmp_path / "other", get_space("sss"), [1, 2])
    with pytest.raises(ConfigError, match="unfinished conversion of other files"):
        convert(tmp_path / "other", tmp_path / "t")


def test_a_table_of_something_else_is_not_overwritten(archive, table, tmp_path):
    write_archive(tmp_path / "other", get_space("sss"), [1])
    before = contents(table)
    with pytest.raises(ConfigError, match="holds a table of 'NATS-sss-simple'"):
        convert(tmp_path / "other", table)
    assert contents(table) == before


@pytest.mark.parametrize(
    "name",
    [
        "curves/000000.parquet",
        "finals.parquet",
        ".x.tmp",
        ".parts/000000.parquet",
        ".finals.parquet.1.tmp",
        ".lock",
    ],
)
def test_files_of_ones_own_that_bear_a_tables_names_are_not_touched(archive, tmp_path, name):
    """Only a plan says that a conversion has begun in a folder, and so that what lies there is its own."""
    (tmp_path / "mine" / name).parent.mkdir(parents=True)
    (tmp_path / "mine" / name).write_bytes(b"years of work")
    with pytest.raises(ConfigError, match=r"no part of a table|no lock file of natslib"):
        convert(archive, tmp_path / "mine")
    assert (tmp_path / "mine" / name).read_bytes() == b"years of work"


def test_a_folder_begun_from_other_files_keeps_all_of_its_files(archive, tmp_path):
    begun = tmp_path / "t" / ".parts"
    begun.mkdir(parents=True)
    (begun / "plan").write_bytes(b"\xff of something else")
    (begun / ".000000.parquet.7.tmp").touch()
    with pytest.raises(ConfigError, match="unfinished conversion of other files"):
        convert(archive, tmp_path / "t")
    assert {path.name for path in begun.iterdir()} == {"plan", ".000000.parquet.7.tmp"}


def test_a_folder_with_other_files_is_not_touched(archive, tmp_path):
    (tmp_path / "precious" / "curves").mkdir(parents=True)
    (tmp_path / "precious" / "curves" / "thesis.txt").write_text("years of work")
    with pytest.raises(
        ConfigError, match=r"thesis\.txt is no part of a table that .*; choose an empty folder"
    ):
        convert(archive, tmp_path / "precious")
    assert (tmp_path / "precious" / "curves" / "thesis.txt").read_text() == "years of work"
    with pytest.raises(ConfigError, match="the destination is empty"):
        convert(archive, "")
    with pytest.raises(ConfigError, match="begins like a URL; a table lies in a folder of this machine"):
        convert(archive, "s3://bucket/table")


def test_an_unfinished_conversion_does_not_leak_into_another(archive, tmp_path, monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr("natslib.tables.conversion.convert_chunks", interrupt_after_one)
        with pytest.raises(KeyboardInterrupt):
            convert(archive, tmp_path / "t", processes=1)
    with pytest.raises(ConfigError, match="unfinished conversion of other files"):
        convert("published", tmp_path / "t")


def interrupt_after_one(todo, *args):
    chunks.convert_chunks(todo[:1], *args)
    raise KeyboardInterrupt


def test_a_refused_archive_leaves_nothing_that_spoils_the_next_try(tmp_path):
    write_archive(tmp_path / "a", get_space("sss"), [1])
    (record,) = (tmp_path / "a").iterdir()
    whole = record.read_bytes()
    record.write_bytes(whole[:40])
    with pytest.raises(BadSource, match="not one readable run"):
        convert(tmp_path / "a", tmp_path / "t", processes=1)
    record.write_bytes(whole)
    assert convert(tmp_path / "a", tmp_path / "t", processes=1)["rows"]


def test_a_source_that_changed_is_not_answered_from_the_old_table(archive, tmp_path):
    source = tmp_path / "a"
    write_archive(source, get_space("sss"), [0, 1])
    convert(source, tmp_path / "t", processes=1)
    assert convert(source, tmp_path / "t")["architectures"]["measured"] == 2
    write_archive(source, get_space("sss"), [2])
    with pytest.raises(ConfigError, match="made from other files"):
        convert(source, tmp_path / "t")


def test_a_finished_table_is_copied_if_nobody_altered_it(table, tmp_path):
    convert(table, tmp_path / "copy")
    assert contents(tmp_path / "copy") == contents(table)
    data = bytearray((tmp_path / "copy" / "curves" / "001536.parquet").read_bytes())
    data[100] ^= 1
    (tmp_path / "copy" / "curves" / "001536.parquet").write_bytes(data)
    with pytest.raises(BadSource, match=r"001536\.parquet: its SHA-256 is not the one"):
        convert(tmp_path / "copy", tmp_path / "again")


def test_a_script_without_a_main_guard_can_convert(archive, tmp_path):
    script = tmp_path / "script.py"
    script.write_text(f"from natslib.tables import convert\nprint(convert({str(archive)!r}, 't')['rows'])\n")
    run = subprocess.run(
        [sys.executable, str(script)],
        cwd=tmp_path,
        env=environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (run.stdout.strip(), run.stderr) == (str(ARCHS * ROWS), "")


def test_workers_end_with_the_process_that_started_them(archive, tmp_path):
    command = [sys.executable, "-m", "natslib", "convert", str(archive), "t", "--processes", "1"]
    process = subprocess.Popen(command, cwd=tmp_path, env=environment(), start_new_session=True)
    group = process.pid
    while not (tmp_path / "t" / ".parts" / "000000.parquet").exists():
        time.sleep(0.02)
    process.kill()
    process.wait()
    deadline = time.monotonic() + 60
    while members(group) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert members(group) == []


def members(group: int) -> list[int]:
    """The living processes of a process group."""
    found = subprocess.run(
        ["ps", "-o", "pid=,stat=", "-g", str(group)], capture_output=True, text=True, check=False
    )
    return [int(line.split()[0]) for line in found.stdout.splitlines() if "Z" not in line]


def test_two_conversions_into_one_folder_do_not_mix(archive, tmp_path):
    with lock(tmp_path / "t" / ".lock"), pytest.raises(ConfigError, match="another conversion is writing"):
        convert(archive, tmp_path / "t")


def test_a_full_disk_ends_with_a_word_and_no_half_written_file(archive, table, tmp_path):
    """A limit on the size of files stands in for the full disk: the same error path, at a place that can be chosen."""
    largest = max(path.stat().st_size for path in table.rglob("*.parquet"))
    code = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN);"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({largest // 2}, {largest // 2}));"
        "from natslib.commands import main; sys.exit(main(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", code, "convert", str(archive), "t", "--processes", "1"]
    run = subprocess.run(
        command, cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert run.returncode == 1
    assert "cannot write" in run.stderr
    assert "File too large" in run.stderr
    assert "Traceback" not in run.stderr
    assert not list((tmp_path / "t").rglob("*.tmp"))
    convert(archive, tmp_path / "t", processes=1)
    assert contents(tmp_path / "t") == contents(table)


@pytest.mark.parametrize(
    ("origin", "columns", "message"),
    [
        ("nowhere", None, "no such file or directory; a source is 'published'"),
        ("empty", None, "no record named like 000000.pickle.pbz2"),
        ("a.md", None, "not a source"),
        ("a.csv", None, "needs a mapping of its columns, --columns mine.yaml; .* --explain` drafts one"),
        ("a.pkl", None, "opening it runs code"),
        ("empty", "m.yaml", r"m\.yaml: no such file"),
    ],
)
def test_what_is_no_source_is_said_so(tmp_path, origin, columns, message):
    (tmp_path / "empty").mkdir()
    for name in ("a.md", "a.csv", "a.pkl"):
        (tmp_path / name).write_text("x")
    with pytest.raises(NatslibError, match=message):
        convert(tmp_path / origin, tmp_path / "t", columns=columns)
