"""Every figure that natslib draws, from every source in the configuration: the catalogue's items are the rules."""

import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.logging import logger
from snakemake.utils import validate

from natslib.workflow.catalogue import CATALOGUE
from natslib.workflow.config import asked_files, expand_searches, expand_sources, files_read, records_of, told
from natslib.workflow.imports import imported_sources
from natslib.workflow.reported import Reported
from natslib.workflow.running import begin
from natslib.workflow.summary import summary


report: "natslib/site/report/description.rst"


workdir: workflow.basedir  # whatever folder it is started in: all paths here and in configurations are the project's


if not Path.cwd().samefile(workflow.basedir):
    raise WorkflowError(f"the figures are drawn in the project's folder: leave --directory out, or say {workflow.basedir}")

if "sources" not in config:  # --configfile on the command line replaces it

    configfile: "config/default.yaml"


if workflow.is_main_process:
    at_work, another = begin(Path(".snakemake"))
    if another:
        logger.warning(f"another snakemake is at work in {Path.cwd()}: wait for it, or stop it")

validate(config, "config/schema.yaml")
CONFIGFILE = " ".join(map(os.path.relpath, workflow.configfiles))
config["reported"] = Reported(dict(config), CONFIGFILE)  # captions reach a report by the configuration alone
FIGURES = config["figures"]
SOURCES = expand_sources(config["sources"])
SEARCHES = expand_searches(config["searches"])
OWN = sorted(str(path) for name in ("embedded", "searched") for path in Path("logs").glob(f"{name}-*/manifest.json"))
BIN = shlex.quote(str(Path(sys.executable).parent))
shell.prefix(f"PATH={BIN.replace('{', '{{').replace('}', '}}')}:$PATH; ")  # `python` is the one of this Snakemake


wildcard_constraints:
    source="|".join(SOURCES),
    settings="|".join(SEARCHES["runs"]) or "none",
    search="|".join(name for runs in SEARCHES["runs"].values() for name in runs) or "none",
    joined="|".join({name for joined in SEARCHES["finished"].values() for name in joined}) or "none",
    shard=r"\d+",
    shards=r"\d+",


def asked_with(source):
    """Return what asks for everything once the table of a source is there: what that lacks is left out."""

    def ask(wildcards):
        checkpoints.table.get(source=source)
        return asked_files(config)

    return ask


rule all:
    input:
        asked_files(config, sure=True),
        [asked_with(source) for source in SOURCES],


rule drawn:
    """What is drawn of it, for a report while something is missing: `snakemake --report results/report.html drawn`."""
    input:
        config["reported"].drawn,


rule trained:
    """Every shard of every training, and nothing that is drawn from them: for clusters that do not share these files."""
    input:
        [marker for source in SOURCES.values() if "training" in source for marker in source["files"]],


rule train:
    """One shard of a training; killed, the same command goes on after its last finished candidate.

    The candidates' logs lie beside the marker. They are no outputs, which Snakemake would remove before it repeats a
    killed shard; nor is the library an input: finished candidates stay, whatever changes.
    """
    output:
        finished=touch("results/training/{source}/shard-{shard}-of-{shards}.finished"),
    log:
        "results/logs/train_{source}_{shard}-of-{shards}.log",
    benchmark:
        "results/benchmarks/train_{source}_{shard}-of-{shards}.tsv"
    threads: 1
    resources:
        mem_mb=4000,
        runtime=120,
    params:
        options=lookup(dpath="{source}/training", within=SOURCES),
        folder=lookup(dpath="{source}/folder", within=SOURCES),
    shell:
        "python -m natslib.workflow.job train {params.options:q} --shard {wildcards.shard}/{wildcards.shards} --out {params.folder:q} > {log} 2>&1"


rule search:
    """One weight-sharing search; killed, the same command goes on after its last finished epoch.

    As in a training, its records lie beside the marker, and what was searched stays.
    """
    output:
        finished=touch("results/weight-sharing/{settings}/{search}/finished"),
    log:
        "results/logs/search_{settings}_{search}.log",
    benchmark:
        "results/benchmarks/search_{settings}_{search}.tsv"
    threads: 1
    resources:
        mem_mb=1500,
        runtime=60,
    params:
        options=lookup(dpath="runs/{settings}/{search}", within=SEARCHES),
        folder=subpath(output.finished, parent=True),
    shell:
        "python -m natslib.workflow.job search {params.options:q} --out {params.folder:q} > {log} 2>&1"


rule searches:
    """The records of all searches of a space on a dataset, joined to two small files."""
    input:
        finished=lookup(dpath="finished/{settings}/{joined}", within=SEARCHES),
        library=imported_sources("natslib/workflow/join.py"),
    output:
        records="results/weight-sharing/{settings}/{joined}.parquet",
        scores="results/weight-sharing/{settings}/{joined}-scores.parquet",
    log:
        "results/logs/searches_{settings}_{joined}.log",
    benchmark:
        "results/benchmarks/searches_{settings}_{joined}.tsv"
    shell:
        "python -m natslib.workflow.join {output.records:q} {output.scores:q} {input.finished:q} > {log} 2>&1"


checkpoint table:
    """Raw records, our own or others', or somebody's CSV, become a table; interrupted, the same command goes on where it stopped."""
    input:
        files=lookup(dpath="{source}/files", within=SOURCES),
        library=imported_sources("natslib/tables/conversion.py"),
    output:
        manifest="results/tables/{source}/manifest.json",
    log:
        "results/logs/table_{source}.log",
    benchmark:
        "results/benchmarks/table_{source}.tsv"
    threads: 8
    params:
        origin=lookup(dpath="{source}/origin", within=SOURCES),
        options=lookup(dpath="{source}/options", within=SOURCES),
        folder=subpath(output.manifest, parent=True),
    shell:
        "python -m natslib.workflow.job convert {params.origin:q} {params.folder:q} --processes {threads} {params.options:q} > {log} 2>&1"


rule multi_trial:
    """The paper's four multi-trial searches, which several items show, run once."""
    input:
        table="results/tables/{source}/manifest.json",
        library=imported_sources("natslib/workflow/searched.py"),
    output:
        trajectories=directory("results/multi-trial/{source}"),
    log:
        "results/logs/multi_trial_{source}.log",
    benchmark:
        "results/benchmarks/multi_trial_{source}.tsv"
    threads: 2
    params:
        runs=lambda wildcards: config["sources"][wildcards.source].get("runs", config["runs"]),
    shell:
        "python -m natslib.workflow.searched results/tables/{wildcards.source} {output.trajectories:q} {params.runs} {threads} > {log} 2>&1"


NEEDED = {
    "table": {"table": "results/tables/{source}/manifest.json"},
    "trajectories": {"trajectories": "results/multi-trial/{source}"},
    "own": {"own": OWN},
    "further": {},  # among the records
}


def told_to(item):
    """Return the function that gives a job of an item its name and what its notebook is told."""
    return lambda wildcards: [item.name, *told(item, wildcards.get("source", ""), config)]


def figure_files(item, name):
    """Return the files of a figure; its picture is marked for reports."""
    stem = f"{FIGURES}/{item.figures[name]}{item.behind}"
    marked = report(
        f"{stem}.svg",
        caption="natslib/site/report/caption.rst",
        category=item.paper if item.paper != "own" else "Beyond the papers",
        subcategory=f"{item.number}: {item.title}",
        labels={"figure": item.figures[name], "source": "{source}" if item.behind else "none"},
    )
    return [marked, *(f"{stem}{suffix}" for suffix in item.files(name) if suffix != ".svg")]


for item in CATALOGUE.values():
    saved = {name: figure_files(item, name) for name in item.figures}
    needed = NEEDED | {"records": {"searches": records_of(SEARCHES, item)}}

    rule:
        name:
            item.name
        input:
            notebook=item.path,
            library=imported_sources(item.path),
            reads=files_read(item),
            **{name: files for need in item.needs for name, files in needed[need].items()},
        output:
            **saved,
        log:
            notebook=f"results/notebooks/{item.name}{item.behind}.ipynb",
        benchmark:
            f"results/benchmarks/{item.name}{item.behind}.tsv"
        threads: item.threads
        params:
            told=told_to(item),
        shell:
            "python -m natslib.workflow.draw {log.notebook:q} {params.told:q}"


rule site:
    """The static site of all that is drawn; `make site` makes one with holes, where something is missing."""
    input:
        asked_files(config),
        library=imported_sources("natslib/site/__main__.py"),
    output:
        "results/site/index.html",
    log:
        "results/logs/site.log",
    benchmark:
        "results/benchmarks/site.tsv"
    shell:
        "python -m natslib.site > {log} 2>&1"


def tell(*ended):
    """Say what the sources lack and where the rest is; of a failed run, what was drawn before."""
    print(*summary(config), *ended, sep="\n")


onsuccess:
    tell(f"The figures are in {FIGURES}/, the notebooks that drew them in results/notebooks/.")


onerror:
    tell()
