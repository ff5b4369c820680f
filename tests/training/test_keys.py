"""What is trained is known from keys beside the logs, and whatever befalls either, they say what the logs say."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from natslib.errors import ConfigError
from natslib.training import keys as keys_module
from natslib.training.farm import check_alike
from natslib.training.jobs import Job
from natslib.training.keys import Apart, finished_jobs, note
from natslib.training.logs import append_lines, read_records, record
from natslib.training.loop import LearningCurve

LOG = "tss/shard-0-of-1.jsonl"
KEYS = "tss/.shard-0-of-1.keys"
JOBS = [Job("tss", arch, "digits", "12", seed) for arch in (5, 11) for seed in (777, 888)]
SMALL = Apart("small", "float32")


def entry(job: Job, **stamp: object) -> dict[str, object]:
    curve = LearningCurve(loss=[1.0], accuracy=[50.0], top5=[100.0], time_s=[0.1])
    stamp = {"scale": "small", "precision": "float32"} | stamp
    return record(job, {"train": curve}, params=1, flops=7, latency_s=0.5, stamp=stamp)


def train(folder: Path, jobs: list[Job], log: str = LOG, **stamp: object) -> None:
    """Write what a farm would write of these."""
    (folder / log).parent.mkdir(parents=True, exist_ok=True)
    for job in jobs:
        append_lines(folder / log, [entry(job, **stamp)])
        note(folder / log)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    train(tmp_path, JOBS)
    return tmp_path


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The numbers of the lines of logs that were parsed."""
    numbers: list[int] = []
    parse = keys_module.parse_record

    def parsed(line: bytes, path: Path, number: int) -> dict[str, object]:
        numbers.append(number)
        return parse(line, path, number)

    monkeypatch.setattr(keys_module, "parse_record", parsed)
    return numbers


def told(folder: Path) -> dict[Job, Apart]:
    """What the logs themselves say."""
    return {
        Job(*(entry[name] for name in Job._fields)): Apart(
            entry["stamp"]["scale"], entry["stamp"]["precision"]
        )
        for log in sorted(folder.glob("*/*.jsonl"))
        for entry in read_records(log)
    }


def test_a_farms_own_logs_are_not_read_again(folder: Path, read: list[int]) -> None:
    assert finished_jobs(folder) == dict.fromkeys(JOBS, SMALL)
    assert read == []


def test_several_records_of_one_group_have_a_key_each(tmp_path: Path, read: list[int]) -> None:
    (tmp_path / "tss").mkdir()
    append_lines(tmp_path / LOG, [entry(job) for job in JOBS])
    note(tmp_path / LOG)
    read.clear()
    assert list(finished_jobs(tmp_path)) == JOBS
    assert read == []


def test_logs_without_keys_are_read_once(folder: Path, read: list[int]) -> None:
    (folder / KEYS).unlink()
    train(folder, [JOBS[0]._replace(space="sss")], "sss/b.jsonl")
    (folder / "sss/.b.keys").unlink()
    read.clear()
    assert finished_jobs(folder) == finished_jobs(folder) == told(folder)
    assert read == [1, 1, 2, 3, 4]


def rewritten(change: Callable[[list[bytes]], list[bytes]], name: str = LOG) -> Callable[[Path], None]:
    def do(folder: Path) -> None:
        lines = (folder / name).read_bytes().splitlines(keepends=True)
        (folder / name).write_bytes(b"".join(change(lines)))

    return do


def swapped(lines: list[bytes]) -> list[bytes]:
    """Lines of equal lengths, in another order."""
    assert len(lines[0]) == len(lines[1])
    return [lines[1], lines[0], *lines[2:]]


def other_seed(lines: list[bytes]) -> list[bytes]:
    return [lines[0].replace(b'"seed":777', b'"seed":999'), *lines[1:]]


def bit(number: int) -> Callable[[Path], None]:
    """Turn a bit of the keys."""

    def do(folder: Path) -> None:
        content = bytearray((folder / KEYS).read_bytes())
        content[number % len(content)] ^= 1
        (folder / KEYS).write_bytes(content)

    return do


def kept_times(change: Callable[[Path], None]) -> Callable[[Path], None]:
    """Change the files so that the log's time is the old one, as a copying program may."""

    def do(folder: Path) -> None:
        stat = (folder / LOG).stat()
        change(folder)
        os.utime(folder / LOG, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    return do


def moved_later(folder: Path) -> None:
    os.utime(folder / LOG, ns=(1, 1))


CHANGES: dict[str, Callable[[Path], None]] = {
    "the log is gone": lambda folder: (folder / LOG).unlink(),
    "the log is empty": rewritten(lambda lines: []),
    "the log lost its last record": rewritten(lambda lines: lines[:-1]),
    "the log lost its first record": rewritten(lambda lines: lines[1:]),
    "the log lost its first record, and nobody sees when": kept_times(rewritten(lambda lines: lines[1:])),
    "the log was cut in a record": rewritten(lambda lines: [*lines[:-1], lines[-1][:40]]),
    "a record was edited, its length the same": rewritten(other_seed),
    "records changed places": rewritten(swapped),
    "the log was copied": moved_later,
    "a record was added by an older version": lambda folder: append_lines(
        folder / LOG, [entry(JOBS[0]._replace(seed=1))]
    ),
    "the keys are gone": lambda folder: (folder / KEYS).unlink(),
    "the keys are empty": rewritten(lambda lines: [], KEYS),
    "the keys are cut in a line": rewritten(lambda lines: [*lines[:-1], lines[-1][:30]], KEYS),
    "the keys lost a line": rewritten(lambda lines: [*lines[:1], *lines[2:]], KEYS),
    "the keys lost their first line": rewritten(lambda lines: lines[1:], KEYS),
    "the keys lost their last line": rewritten(lambda lines: lines[:-1], KEYS),
    "the keys have a line twice": rewritten(lambda lines: [*lines, lines[-1]], KEYS),
    "the keys are other bytes": rewritten(lambda lines: [b"\0\xff\n" * 90], KEYS),
    **{f"bit of byte {number} of the keys": bit(number) for number in range(0, 400, 23)},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_keys_say_what_the_logs_say_whatever_was_changed(
    folder: Path, change: Callable[[Path], None], read: list[int]
) -> None:
    change(folder)
    assert finished_jobs(folder) == told(folder)
    read.clear()
    assert finished_jobs(folder) == told(folder)
    train(folder, [JOBS[0]._replace(seed=2)], "tss/other.jsonl")
    assert finished_jobs(folder) == told(folder)


def test_keys_that_hold_are_kept_and_only_the_rest_is_read(folder: Path, read: list[int]) -> None:
    append_lines(folder / LOG, [entry(JOBS[0]._replace(seed=1))])
    assert finished_jobs(folder) == told(folder)
    assert read == [5]


def test_a_farm_goes_on_noting_keys_after_they_were_made_again(folder: Path, read: list[int]) -> None:
    bit(3)(folder)
    finished_jobs(folder)
    train(folder, [JOBS[0]._replace(seed=1)])
    read.clear()
    assert finished_jobs(folder) == told(folder)
    assert read == []


def test_keys_of_another_logs_name_are_not_taken_for_its_own(folder: Path) -> None:
    train(folder, [JOBS[0]._replace(seed=3)], "tss/b.jsonl")
    (folder / "tss/.b.keys").write_bytes((folder / KEYS).read_bytes())
    assert finished_jobs(folder) == told(folder)


def test_keys_that_cannot_be_written_cost_time_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (folder / KEYS).unlink()
    (folder / KEYS).mkdir()
    train(folder, [JOBS[0]._replace(seed=1)])
    assert finished_jobs(folder) == told(folder)


def test_runs_of_another_precision_are_refused_by_name() -> None:
    done = {JOBS[0]: Apart("small", None), JOBS[1]: SMALL}
    check_alike(Path("logs"), done, {"scale": "small", "precision": "float32"})
    with pytest.raises(ConfigError, match=r"the precision 'tf32', and logs holds .* precision 'float32'"):
        check_alike(Path("logs"), done, {"scale": "paper", "precision": "tf32"}, ("precision",))
