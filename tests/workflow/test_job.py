"""`natslib` as the workflow's rules call it."""

import json
import subprocess
import sys

SPLIT = {"epoch": [0], "loss": [1.0], "accuracy": [50.0], "time_s": [0.1]}
RECORD = {
    "space": "tss", "arch_index": 5, "dataset": "digits", "recipe": "12", "seed": 777, "params_m": 0.1,
    "flops_m": 1.0, "latency_s": 0.01, "splits": {"train": SPLIT, "test": SPLIT}, "stamp": {},
}  # fmt: skip


def run(module, folder, *words):
    command = [sys.executable, "-m", module, *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_damaged_records_are_said_and_do_not_fail_the_rule(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/runs.jsonl").write_text(f"{json.dumps(RECORD)}\n{{cut short\n")
    convert = ("convert", "logs", "table", "--processes", "1")
    done = {module: run(module, tmp_path, *convert) for module in ("natslib.workflow.job", "natslib")}
    assert {module: each.returncode for module, each in done.items()} == {
        "natslib.workflow.job": 0, "natslib": 3,
    }  # fmt: skip
    assert all("left out runs.jsonl, line 2" in each.stderr for each in done.values())
    assert "runs.jsonl, line 2" in run("natslib", tmp_path, "info", "table").stdout


def test_a_table_whose_manifest_snakemake_removed_is_made_anew(tmp_path):
    (tmp_path / "logs").mkdir()
    (tmp_path / "logs/runs.jsonl").write_text(f"{json.dumps(RECORD)}\n")
    convert = ("convert", "logs", "table", "--processes", "1")
    assert run("natslib.workflow.job", tmp_path, *convert).returncode == 0
    (tmp_path / "table/manifest.json").unlink()
    assert "no part of a table" in run("natslib", tmp_path, *convert).stderr  # it might be somebody's own
    assert run("natslib.workflow.job", tmp_path, *convert).returncode == 0
    assert (tmp_path / "table/manifest.json").is_file()


def test_what_fails_still_fails_the_rule(tmp_path):
    done = run("natslib.workflow.job", tmp_path, "convert", "absent.csv", "table")
    assert (done.returncode, done.stderr.count("Traceback")) == (1, 0)
