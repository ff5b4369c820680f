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


def lints(snakefile=ROOT / "Snakefile"):
    """Return the titles of what Snakemake's linter finds; it writes them to the error stream, a star before each."""
    result = snakemake("--snakefile", str(snakefile), "--lint")
    assert "Lints for rule" in result.stderr, f"the linter said nothing that is known: {result.stderr}"
    return set(re.findall(r"^ *\* (.*):$", result.stderr, flags=re.MULTILINE))


def test_snakemakes_linter_finds_nothing_new():
    assert lints() <= ACCEPTED_LINTS


def test_the_linter_would_find_a_fault(tmp_path):
    text = (ROOT / "Snakefile").read_text()
    faulty = ROOT / ".snakefile-with-a-fault"  # where the paths in it hold
    faulty.write_text(
        text + '\n\nrule bad:\n    output:\n        "/absolute/x"\n    shell:\n        "touch {output}"\n'
    )
    try:
        assert lints(faulty) - ACCEPTED_LINTS
    finally:
        faulty.unlink()


def test_every_rule_keeps_a_log_and_a_benchmark():
    text = (ROOT / "Snakefile").read_text()
    rules = re.split(r"\n *(?=rule ?\w*:)", text)[1:]
    names = [re.match(r"rule ?(\w*):", rule)[1] for rule in rules]
    assert names[:2] == ["all", "trained"]  # the two that only name what is to be made
    assert names[-1] == ""  # the one of the loop over the catalogue
    for name, rule in zip(names[2:], rules[2:], strict=True):
        assert re.search(r"\n +log:\n", rule), name
        assert re.search(r"\n +benchmark:\n", rule), name


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


def test_an_item_that_is_not_in_the_catalogue_is_refused_with_those_that_are(tmp_path):
    code, said = plan(tmp_path, sources={"published": source("published") | {"items": ["seed_nois"]}})
    assert code != 0
    assert "unknown item 'seed_nois'" in said
    assert "did you mean 'seed_noise'" in said
