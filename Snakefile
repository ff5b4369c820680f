"""NATS-Bench's table of contents: every figure of the paper that natslib draws, from every source in the configuration."""

import sys
from pathlib import Path

from snakemake.utils import validate

from natslib.workflow.config import expand_sources
from natslib.workflow.sources import imported_sources

validate(config, "config/schema.yaml")
FIGURES = config["figures"]
SOURCES = expand_sources(config["sources"])
shell.prefix(f"PATH='{Path(sys.executable).parent}':$PATH; ")  # the `natslib` beside this Snakemake
SAVED = (".svg", ".pdf", ".png", ".csv", ".json")


wildcard_constraints:
    source="|".join(SOURCES),


rule all:
    input:
        multiext(f"{FIGURES}/search_spaces", *SAVED),
        expand(f"{FIGURES}/{{item}}_{{source}}{{suffix}}", item=config["items"], source=SOURCES, suffix=SAVED),


rule table:
    """Raw records, or somebody's CSV, to a table; interrupted, it goes on where it stopped."""
    input:
        files=lookup(dpath="{source}/files", within=SOURCES),
        library=imported_sources("natslib/benchmarks/convert.py"),
    output:
        manifest="results/tables/{source}/manifest.json",
    log:
        "results/logs/table_{source}.log",
    benchmark:
        "results/benchmarks/table_{source}.tsv"
    params:
        origin=lookup(dpath="{source}/origin", within=SOURCES),
        options=lookup(dpath="{source}/options", within=SOURCES),
        folder=subpath(output.manifest, parent=True),
    shell:
        "natslib convert {params.origin:q} {params.folder:q} {params.options:q} > {log} 2>&1"


rule search_spaces:
    """Figure 1: the skeleton, the cell, and what the two spaces hold."""
    input:
        notebook="notebooks/01_search_spaces.ipynb",
        library=imported_sources("notebooks/01_search_spaces.ipynb"),
    output:
        multiext(f"{FIGURES}/search_spaces", *SAVED),
    log:
        notebook="results/notebooks/search_spaces.ipynb",
    benchmark:
        "results/benchmarks/search_spaces.tsv"
    params:
        figure=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule accuracy_vs_cost:
    """Figure 3: accuracy against parameters and FLOPs."""
    input:
        notebook="notebooks/02_accuracy_vs_cost.ipynb",
        library=imported_sources("notebooks/02_accuracy_vs_cost.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        multiext(f"{FIGURES}/accuracy_vs_cost_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/accuracy_vs_cost_{source}.ipynb",
    benchmark:
        "results/benchmarks/accuracy_vs_cost_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        figure=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


use rule accuracy_vs_cost as correlation with:
    """Figure 5: Kendall's tau among validation and test accuracies, all architectures and the good ones."""
    input:
        notebook="notebooks/04_correlation.ipynb",
        library=imported_sources("notebooks/04_correlation.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        multiext(f"{FIGURES}/correlation_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/correlation_{source}.ipynb",
    benchmark:
        "results/benchmarks/correlation_{source}.tsv"
