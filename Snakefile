"""Every figure that natslib draws, from every source in the configuration: the catalogue's items are the rules."""

import sys
from pathlib import Path

from snakemake.utils import validate

from natslib.workflow.catalogue import CATALOGUE
from natslib.workflow.config import asked_files, expand_searches, expand_sources, records_of
from natslib.workflow.imports import imported_sources

validate(config, "config/schema.yaml")
FIGURES = config["figures"]
SOURCES = expand_sources(config["sources"])
SEARCHES = expand_searches(config["searches"])
OWN = sorted(map(str, Path("logs").glob("embedded-*/manifest.json")))  # our own tables, as far as there are some
shell.prefix(f"PATH='{Path(sys.executable).parent}':$PATH; ")  # the `natslib` beside this Snakemake


wildcard_constraints:
    source="|".join(SOURCES),
    settings="|".join(SEARCHES["runs"]) or "none",
    search="|".join(name for runs in SEARCHES["runs"].values() for name in runs) or "none",
    joined="|".join({name for joined in SEARCHES["finished"].values() for name in joined}) or "none",
    shard=r"\d+",
    shards=r"\d+",


rule all:
    input:
        asked_files(config),


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
        "natslib train {params.options:q} --shard {wildcards.shard}/{wildcards.shards} --out {params.folder:q} > {log} 2>&1"


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
        "natslib search {params.options:q} --out {params.folder:q} > {log} 2>&1"


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
    script:
        "natslib/workflow/join.py"


rule table:
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
        "natslib convert {params.origin:q} {params.folder:q} --processes {threads} {params.options:q} > {log} 2>&1"


def folder_of_records(wildcards, input):
    """The folder that a notebook reads the records of weight-sharing searches from, with one of each settings in it."""
    return str(Path(input.searches[0]).parents[1])


NEEDED = {
    "table": {"table": "results/tables/{source}/manifest.json"},
    "own": {"own": OWN},
}
TOLD = {
    "table": {"table": subpath(input.table, parent=True)},
    "records": {"searches": folder_of_records, "dataset": SEARCHES["dataset"]},
    **{name: {name: lookup(dpath=f"{{source}}/{name}", within=SOURCES)} for name in ("recipe", "split", "splits")},
    **{name: {name: config[name]} for name in ("runs", "runs_others")},
    "entry": {"entry": subpath(output.entry, parent=True)},
}
ENTRY = "results/leaderboard/my_search_{source}/entry.json"

for item in CATALOGUE.values():
    saved = {
        name: multiext(f"{FIGURES}/{stem}{item.behind}", *item.files(name)) for name, stem in item.figures.items()
    }
    first = {name: sum(map(len, list(saved.values())[:place])) for place, name in enumerate(saved)}
    needed = NEEDED | {"records": {"searches": records_of(SEARCHES, item)}}
    settings = {"settings": ",".join(item.settings) or SEARCHES["settings"]} if "records" in item.needs else {}
    stems = {name: subpath(output[place], strip_suffix=".svg") for name, place in first.items()}

    rule:
        name:
            item.name
        input:
            notebook=item.path,
            library=imported_sources(item.path),
            **{name: files for need in item.needs for name, files in needed[need].items()},
        output:
            **saved,
            **({"entry": ENTRY} if "entry" in item.given else {}),
        log:
            notebook=f"results/notebooks/{item.name}{item.behind}.ipynb",
        benchmark:
            f"results/benchmarks/{item.name}{item.behind}.tsv"
        threads: item.threads
        params:
            **{name: told for key in (*item.needs, *item.given) for name, told in TOLD.get(key, {}).items()},
            **settings,
            **stems,
        script:
            "natslib/workflow/execute.py"


onsuccess:
    print(f"The figures are in {FIGURES}/, the notebooks that drew them in results/notebooks/.")
