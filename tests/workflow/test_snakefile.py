"""The workflow as a whole, without running its jobs: what it would do, and the habits its rules keep."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SNAKEFILE = (ROOT / "Snakefile").read_text()
CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml") if path.name != "schema.yaml")
# One environment, set up by `make` or from environment.yml, serves every rule.
ACCEPTED_LINTS = {"Specify a conda environment or container for each rule."}


def snakemake(*arguments, folder=ROOT):
    command = [sys.executable, "-m", "snakemake", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def project_with(snakefile, folder):
    """Make `folder` a project like this one with another Snakefile; return it."""
    for name in ("config", "logs", "natslib", "notebooks", "profiles"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "Snakefile").write_text(snakefile)
    return folder


def lints(folder=ROOT):
    """Return the titles of what Snakemake's linter finds.

    It writes them to the error stream, a star before each; the installed version ignores the `json` of `--lint json`.
    """
    result = snakemake("--lint", folder=folder)
    assert "Lints for rule" in result.stderr, f"the linter said nothing that is known: {result.stderr}"
    return set(re.findall(r"^ *\* (.*):$", result.stderr, flags=re.MULTILINE))


def test_snakemakes_linter_finds_nothing_new():
    assert lints() <= ACCEPTED_LINTS


@pytest.mark.parametrize(
    ("fault", "finding"),
    [
        ('rule bad:\n    output: "x"\n    shell: "touch {output}"', "No log directive defined"),
        ('rule bad:\n    output: "/root/x"\n    log: "y"\n    shell: "touch {output}"', "Absolute path .*"),
    ],
    ids=["no log", "absolute path"],
)
def test_the_linter_finds_a_fault(fault, finding, tmp_path):
    found = lints(project_with(f"{SNAKEFILE}\n\n{fault}\n", tmp_path)) - ACCEPTED_LINTS
    assert [title for title in found if re.fullmatch(finding, title)], found


TELL = """
import json
from pathlib import Path

Path(snakemake.log.notebook).write_text(json.dumps(dict(snakemake.params.items())))
for path in snakemake.output:
    Path(path).touch()
"""


def test_a_notebook_is_told_what_its_source_and_the_configuration_say(tmp_path):
    project = project_with(SNAKEFILE.replace("natslib/workflow/execute.py", "tell.py"), tmp_path)
    (project / "tell.py").write_text(TELL)
    items = ["anytime", "fig4_ranks_valid_test", "fig3_accuracy_vs_cost", "darts_pt_strength"]
    told = {"origin": "published", "split": "valid", "recipe": "12", "items": items}
    config = {"figures": "drawn", "runs": 3, "runs_others": 2, "sources": {"mine": told}}
    (project / "config.json").write_text(json.dumps(config))
    table = project / "results/tables/mine"
    table.mkdir(parents=True)
    (table / "manifest.json").touch()

    result = snakemake("--cores", "2", "--configfile", "config.json", folder=project)

    assert result.returncode == 0, result.stderr

    def said(item):
        return json.loads((project / f"results/notebooks/{item}_mine.ipynb").read_text())

    folder = {"table": "results/tables/mine"}
    assert said("anytime") == folder | {
        "runs": 3, "runs_others": 2,
        "figure_anytime": "drawn/anytime_mine", "figure_algorithms": "drawn/algorithms_mine",
    }  # fmt: skip
    assert said("ranks") == folder | {
        "recipe": "12", "split": "valid",
        "figure2": "drawn/fig2_ranks_across_datasets_mine", "figure4": "drawn/fig4_ranks_valid_test_mine",
    }  # fmt: skip
    assert said("accuracy_vs_cost") == folder | {
        "recipe": "12", "splits": "train,valid", "figure3": "drawn/fig3_accuracy_vs_cost_mine",
    }  # fmt: skip
    assert said("darts_pt") == folder | {
        "searches": "logs/weight-sharing", "settings": "digits", "dataset": "digits",
        "figure_choices": "drawn/darts_pt_mine", "figure_strength": "drawn/darts_pt_strength_mine",
        "figure_orders": "drawn/darts_pt_orders_mine", "figure_rows": "drawn/darts_pt_table_mine",
    }  # fmt: skip


def test_every_rule_keeps_a_log_and_a_benchmark():
    rules = re.split(r"\n *(?=rule ?\w*:)", SNAKEFILE)[1:]
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
