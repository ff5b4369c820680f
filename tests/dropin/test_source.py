"""What an API is opened from: archives become tables once; what is wrong is said or mended, never served."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest

import natslib
from natslib.dropin.source import archive_folder
from natslib.nas_201_api import NASBench201API
from natslib.nats_bench import create
from tests.dropin.archives import invented, tar_of, whole_file

WHERE = {"dataset": "cifar10-valid", "hp": "200", "is_random": False}


def accuracy(path: object, index: int = 0, *, space: str = "tss", fast_mode: bool = True) -> float:
    api = create(str(path), space, fast_mode=fast_mode, verbose=False)
    hp = "200" if space == "tss" else "90"
    return api.get_more_info(index, "cifar10-valid", hp=hp, is_random=False)["valid-accuracy"]


def test_folder_tar_and_single_file_give_the_same(cache, tmp_path):
    folder = invented(tmp_path)
    tar, single = tar_of(folder, tmp_path / "a.tar"), whole_file(folder, tmp_path / "b.pickle.pbz2")
    expected = accuracy(folder, 2)
    assert accuracy(tar, 2) == accuracy(tar, 2, fast_mode=False) == expected
    assert accuracy(single, 2, fast_mode=False) == expected
    assert NASBench201API(single, verbose=False).get_more_info(2, **WHERE)["valid-accuracy"] == expected
    assert len(list(cache.glob("*/manifest.json"))) == 3


def test_an_archive_is_converted_once(cache, tmp_path, capsys):
    folder = invented(tmp_path)
    expected = accuracy(folder)
    assert "converting" in capsys.readouterr().err
    made = {path: path.stat().st_mtime_ns for path in cache.rglob("*.parquet")}
    assert accuracy(folder) == expected
    assert capsys.readouterr().err == ""
    assert {path: path.stat().st_mtime_ns for path in cache.rglob("*.parquet")} == made


def test_an_archive_that_changed_is_converted_anew(cache, tmp_path, capsys):
    folder = invented(tmp_path)
    before = accuracy(folder)
    changed = folder / "000000.pickle.pbz2"
    records = invented(tmp_path / "other", number=1)
    told = changed.stat()
    changed.write_bytes(_with_other_accuracies(records / changed.name))
    os.utime(changed, ns=(told.st_atime_ns, told.st_mtime_ns + 1))
    assert accuracy(folder) == pytest.approx(before / 2)
    assert "made anew" in capsys.readouterr().err


def _with_other_accuracies(path: Path) -> bytes:
    import bz2
    import pickle

    record = pickle.loads(bz2.decompress(path.read_bytes()))
    for part in record.values():
        for trial in part["all_results"].values():
            trial["eval_acc1es"] = {key: value / 2 for key, value in trial["eval_acc1es"].items()}
    return bz2.compress(pickle.dumps(record, protocol=4))


def _older_format(manifest: dict) -> dict:
    return manifest | {"format": manifest["format"] - 1}


def _other_files(manifest: dict) -> dict:
    return manifest | {"fingerprint": "0" * 64}


@pytest.mark.parametrize("change", [_older_format, _other_files])
def test_a_cache_of_another_version_is_made_anew(cache, tmp_path, capsys, change):
    folder = invented(tmp_path)
    expected = accuracy(folder)
    (path,) = cache.glob("*/manifest.json")
    path.write_text(json.dumps(change(json.loads(path.read_text()))))
    assert accuracy(folder) == expected
    assert "made anew" in capsys.readouterr().err
    assert accuracy(folder) == expected
    assert capsys.readouterr().err == ""


def test_a_cache_of_another_natslib_is_made_anew(cache, tmp_path, capsys, monkeypatch):
    folder = invented(tmp_path)
    expected = accuracy(folder)
    monkeypatch.setattr(natslib, "__version__", "99.0")
    assert accuracy(folder) == expected
    assert "made anew" in capsys.readouterr().err


def test_a_damaged_cache_is_made_anew(cache, tmp_path, capsys):
    folder = invented(tmp_path)
    expected = accuracy(folder)
    (path,) = cache.glob("*/finals.parquet")
    path.write_bytes(path.read_bytes()[:-20])
    assert accuracy(folder) == expected
    assert "made anew" in capsys.readouterr().err


def test_an_unfinished_cache_is_finished(cache, tmp_path, monkeypatch):
    folder = invented(tmp_path)
    expected = accuracy(folder)
    made = archive_folder(folder)
    plan = json.loads((made / "manifest.json").read_text())["fingerprint"]
    (made / "manifest.json").unlink()
    (made / ".parts").mkdir()
    (made / ".parts" / "plan").write_text(plan)
    assert accuracy(folder) == expected


@pytest.mark.parametrize(("space", "other"), [("tss", "sss"), ("sss", "tss")])
def test_an_archive_of_the_other_space_is_refused_before_it_is_converted(cache, tmp_path, space, other):
    folder = invented(tmp_path, space)
    tar, single = tar_of(folder, tmp_path / "a.tar"), whole_file(folder, tmp_path / "b.pickle.pbz2")
    for path, fast_mode in ((folder, True), (tar, True), (single, False)):
        with pytest.raises(ValueError, match="another search space"):
            create(str(path), other, fast_mode=fast_mode, verbose=False)
    assert not cache.exists()
    accuracy(folder, space=space)
    with pytest.raises(ValueError, match=f"search_space='{other}' was asked for"):
        create(str(folder), other, fast_mode=True, verbose=False)


@pytest.mark.usefixtures("cache")
def test_half_a_download_is_refused(tmp_path):
    folder = invented(tmp_path)
    tar, single = tar_of(folder, tmp_path / "a.tar"), whole_file(folder, tmp_path / "b.pickle.pbz2")
    for path in (tar, single):
        path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
        for _ in range(2):  # the second time too
            with pytest.raises(OSError, match=r"download it again|not a readable archive") as caught:
                create(str(path), "tss", verbose=False)
            assert isinstance(caught.value, EOFError)
    (folder / "meta.pickle.pbz2").unlink()
    with pytest.raises(FileNotFoundError, match="not all of it"):
        create(str(folder), "tss", fast_mode=True, verbose=False)


@pytest.mark.usefixtures("cache")
def test_a_damaged_record_is_named_and_never_answered_for(tmp_path):
    folder = invented(tmp_path)
    path = folder / "000001.pickle.pbz2"
    path.write_bytes(path.read_bytes()[:1000])
    with pytest.warns(UserWarning, match=r"1 damaged records are left out; the first: 000001"):
        api = create(str(folder), "tss", fast_mode=True, verbose=False)
    assert api.get_more_info(2, **WHERE)["valid-accuracy"] > 0
    with pytest.raises(EOFError, match="architecture 1 is damaged"):
        api.get_more_info(1, **WHERE)
    with pytest.raises(OSError, match="architecture 1 is damaged"):
        api.find_best("cifar10", "valid")


@pytest.mark.usefixtures("cache")
def test_paths_that_are_none(tmp_path, monkeypatch):
    folder = invented(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "none"))
    for given, fast_mode, error, told in (
        (str(tmp_path / "missing"), True, ValueError, "neither a file nor a folder"),
        (str(folder), False, ValueError, "say fast_mode=True"),
        (str(whole_file(folder, tmp_path / "b.pickle.pbz2")), True, ValueError, "say fast_mode=False"),
        (None, True, FileNotFoundError, "no such folder"),
        (None, False, ValueError, "neither a file nor a folder"),
        (folder, True, ValueError, "allowed is a path as str"),
        ({"meta_archs": []}, False, ValueError, "give the path of the archive"),
        (str(tmp_path), True, FileNotFoundError, "not a folder of an official archive"),
        (__file__, False, OSError, "not a readable archive"),
    ):
        with pytest.raises(error, match=told):
            create(given, "tss", fast_mode=fast_mode, verbose=False)
    with pytest.raises(ValueError, match="unknown search space 'nas'"):
        create(str(folder), "nas")
    with pytest.raises(ValueError, match="unknown difference 'shows-all'"):
        create(str(folder), "tss", True, differences=["shows-all"])
    with pytest.raises(AssertionError, match="no such file"):
        NASBench201API(tmp_path / "missing")
    (tmp_path / "NAS-Bench-201-v1_1-096897.pth").touch()
    with pytest.raises(natslib.errors.BadSource, match="only torch reads such a file"):
        NASBench201API(str(tmp_path / "NAS-Bench-201-v1_1-096897.pth"))


@pytest.mark.usefixtures("cache")
def test_the_default_path(tmp_path, monkeypatch):
    folder = invented(tmp_path)
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    assert create(None, "tss", fast_mode=True, verbose=False).archive_dir == str(folder)
    monkeypatch.delenv("TORCH_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    folder.parent.joinpath(".torch").mkdir()
    folder.rename(tmp_path / ".torch" / folder.name)
    assert len(create(None, "tss", fast_mode=True, verbose=False)) == 15_625


def test_two_processes_fill_one_cache(cache, tmp_path):
    folder = invented(tmp_path, number=40)
    code = f"""
from natslib.nats_bench import create
print(create({str(folder)!r}, "tss", True, False).get_more_info(3, **{WHERE!r})["valid-accuracy"])
"""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(3)
    ]
    told = [process.communicate(timeout=300) for process in started]
    assert len({out for out, _ in told}) == 1, told
    assert float(told[0][0]) > 0
    assert sum("converting" in err for _, err in told) == 1
    assert not list(cache.rglob("*.tmp"))


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is closed to root")
def test_a_cache_that_cannot_be_written(tmp_path, monkeypatch):
    (tmp_path / "closed").mkdir(mode=0o500)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "closed"))
    with pytest.raises(natslib.errors.NatslibError, match="XDG_CACHE_HOME"):
        accuracy(invented(tmp_path))


def test_a_cache_that_is_a_file(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    with pytest.raises(natslib.errors.NatslibError, match="XDG_CACHE_HOME"):
        accuracy(invented(tmp_path))


def test_no_warning_where_nothing_is_wrong(cache, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        accuracy(invented(tmp_path))
