"""The workflow as a whole, without running its jobs: what it would do, and the habits its rules keep."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml") if path.name != "schema.yaml")
# One environment, set up by `make` or from environment.yml, serves every rule.
ACCEPTED_LINTS = {"Specify a conda environment or container for each rule."}


def snakemake(*arguments):
    command = [sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def test_every_figure_comes_with_its_numbers_and_its_provenance():
    text = (ROOT / "Snakefile").read_text()
    assert text.count("multiext(") == text.count(", *SAVED)")
    assert re.search(r'SAVED = \("\.svg", "\.pdf", "\.png", "\.csv", "\.json"\)', text)


def test_every_rule_keeps_a_log_and_a_benchmark():
    text = (ROOT / "Snakefile").read_text()
    rules = re.split(r"\n(?=rule |use rule )", text)[1:]
    names = [re.match(r"(?:rule|use rule \w+ as) (\w+)", rule)[1] for rule in rules]
    assert names[:2] == ["all", "trained"]  # the two that only name what is to be made
    for name, rule in zip(names[2:], rules[2:], strict=True):
        assert "\n    log:\n" in rule, name
        assert "\n    benchmark:\n" in rule, name


def test_snakemakes_linter_finds_nothing_new():
    report = json.loads(snakemake("--lint", "json").stdout or "{}")
    found = {
        lint["title"]
        for kind in ("rules", "snakefiles")
        for item in report.get(kind, [])
        for lint in item["lints"]
    }
    assert found <= ACCEPTED_LINTS


@pytest.mark.parametrize("config", [name for name in CONFIGS if name != "official.yaml"])
def test_every_configuration_can_be_planned(config, tmp_path):
    result = snakemake("--dry-run", "--forceall", "--nolock", "--configfile", f"config/{config}")
    assert result.returncode == 0, result.stderr
    assert "rule table" in result.stdout + result.stderr


def source(origin):
    return {"origin": origin, "split": "valid", "recipe": "longest", "items": ["seed_noise"]}


def plan(folder, **settings):
    config = folder / "config.yaml"
    good = {"figures": "figures", "sources": {"published": source("published")}}
    config.write_text(json.dumps(good | settings))
    result = snakemake("--dry-run", "--nolock", "--configfile", str(config))
    return result.returncode, result.stdout + result.stderr


def test_a_misspelt_setting_stops_it(tmp_path):
    code, said = plan(tmp_path, source={})
    assert code != 0
    assert "'source' was unexpected" in said


def test_an_archive_that_is_not_there_is_named(tmp_path):
    code, said = plan(tmp_path, sources={"never-made": source(f"{tmp_path}/absent-simple")})
    assert code != 0
    assert "absent-simple" in said
