"""The workflow as a whole, without running its jobs: what it would do, and the habits its rules keep."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

ROOT = Path(__file__).resolve().parents[2]
SNAKEFILE = (ROOT / "Snakefile").read_text()
CONFIGS = sorted(path.name for path in (ROOT / "config").glob("*.yaml") if path.name != "schema.yaml")
# One environment, set up by `make`, serves every rule.
ACCEPTED_LINTS = {"Specify a conda environment or container for each rule."}


def snakemake(*arguments, folder=ROOT, python=sys.executable):
    command = [str(python), "-m", "snakemake", *arguments]
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
        ('rule bad:\n    output: "/closed/x"\n    log: "y"\n    shell: "touch {output}"', "Absolute path .*"),
    ],
    ids=["no log", "absolute path"],
)
def test_the_linter_finds_a_fault(fault, finding, tmp_path):
    found = lints(project_with(f"{SNAKEFILE}\n\n{fault}\n", tmp_path)) - ACCEPTED_LINTS
    assert [title for title in found if re.fullmatch(finding, title)], found


def test_every_rule_keeps_a_log_and_a_benchmark():
    rules = re.split(r"\n *(?=(?:rule|checkpoint) ?\w*:)", SNAKEFILE)[1:]
    names = [re.match(r"(?:rule|checkpoint) ?(\w*):", rule)[1] for rule in rules]
    assert names[:3] == ["all", "drawn", "trained"]  # those that only name what is to be made
    assert names[-2:] == ["", "site"]  # the one of the loop over the catalogue, and what is made of it
    for name, rule in zip(names[3:], rules[3:], strict=True):
        assert re.search(r"\n +log:\n", rule), name
        assert re.search(r"\n +benchmark:\n", rule), name


@pytest.mark.parametrize("config", [name for name in CONFIGS if name != "official.yaml"])
def test_every_configuration_can_be_planned(config, tmp_path):
    result = snakemake("--dry-run", "--forceall", "--nolock", "--configfile", f"config/{config}")
    assert result.returncode == 0, result.stderr
    assert "checkpoint table" in result.stdout + result.stderr


def source(origin):
    return {"origin": origin, "split": "valid", "recipe": "longest", "items": ["seed_noise"]}


def plan(folder, **settings):
    config = folder / "config.yaml"
    good = {"figures": "figures", "sources": {"published": source("published")}}
    config.write_text(json.dumps(good | settings))
    result = snakemake("--dry-run", "--nolock", "--configfile", str(config))
    return result.returncode, result.stdout + result.stderr


def test_it_is_planned_from_any_folder_with_the_projects_paths(tmp_path):
    result = snakemake("--snakefile", str(ROOT / "Snakefile"), "--dry-run", "--forceall", folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "checkpoint table" in result.stdout + result.stderr
    assert not list(tmp_path.iterdir())


def test_another_working_directory_is_refused_in_a_sentence(tmp_path):
    given = ("--snakefile", str(ROOT / "Snakefile"), "--dry-run", "--directory", str(tmp_path))
    result = snakemake(*given, folder=tmp_path)
    assert result.returncode != 0
    said = result.stdout + result.stderr
    assert "drawn in the project's folder: leave --directory out" in said
    assert "Traceback" not in said


def test_a_configuration_of_another_folder_is_found_from_there(tmp_path):
    config = {"figures": "drawn", "sources": {"mine": source("published") | {"items": ["fig5_correlation"]}}}
    (tmp_path / "c.json").write_text(json.dumps(config))
    given = ("--snakefile", str(ROOT / "Snakefile"), "--dry-run", "--configfile", "c.json")
    result = snakemake(*given, folder=tmp_path)
    assert result.returncode == 0, result.stderr
    assert "drawn/fig5_correlation_mine.svg" in result.stdout + result.stderr


def test_a_folder_may_have_any_name_that_a_shell_would_read(tmp_path):
    folder = tmp_path / 'it\'s {a} "b" $HOME *'
    folder.mkdir()
    project = project_with(SNAKEFILE, folder)
    (project / ".venv").symlink_to(sys.prefix)
    (project / "-x'*.csv").write_text(f"arch,acc\n{CELL},50\n")
    (project / "-c.yaml").write_text("space: tss\narch: arch\ncolumns:\n  acc: {" + COLUMN + "}\n")
    mine = source("-x'*.csv") | {"columns": "-c.yaml", "items": ["fig3_accuracy_vs_cost"]}
    (project / "c.json").write_text(json.dumps({"figures": "dra w'n", "sources": {"mine": mine}}))
    python, target = project / ".venv/bin/python", "dra w'n/fig3_accuracy_vs_cost_mine.svg"
    result = snakemake("--cores", "1", "--configfile", "c.json", "--", target, folder=project, python=python)
    assert result.returncode == 0, result.stderr
    assert (project / target).stat().st_size > 0


CELL = "|avg_pool_3x3~0|+|avg_pool_3x3~0|avg_pool_3x3~1|+|avg_pool_3x3~0|avg_pool_3x3~1|avg_pool_3x3~2|"
COLUMN = "dataset: cifar10-valid, recipe: '200', split: valid, seed: mean, metric: accuracy"


def test_a_failing_notebook_names_cell_and_error_and_holds_up_no_other(tmp_path):
    project = project_with(SNAKEFILE, tmp_path)
    (project / "notebooks").unlink()
    shutil.copytree(ROOT / "notebooks", project / "notebooks")
    broken = nbformat.read(project / "notebooks/12_protocol.ipynb", as_version=4)
    broken.cells.append(nbformat.v4.new_code_cell("{}['lost']", id="broken"))
    nbformat.write(broken, project / "notebooks/12_protocol.ipynb")
    wanted = ["figures/table2_recipes.svg", "figures/fig1_search_spaces.svg"]
    result = snakemake("--cores", "1", "--", *wanted, folder=project)
    said = result.stdout + result.stderr
    assert result.returncode != 0
    assert re.search(
        r"protocol stopped in cell broken \(In \[\d+\]\): KeyError: 'lost'; see results/notebooks/protocol.ipynb",
        said,
    )
    assert "KeyError" in (project / "results/notebooks/protocol.ipynb").read_text()
    assert [(project / file).exists() for file in wanted] == [False, True]


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
