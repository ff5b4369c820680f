"""The paper's table of contents: every figure that natslib draws, from every source in the configuration."""

import sys
from pathlib import Path

from snakemake.utils import validate

from natslib.workflow.config import asked_stems, expand_searches, expand_sources
from natslib.workflow.imports import imported_sources

validate(config, "config/schema.yaml")
FIGURES = config["figures"]
SOURCES = expand_sources(config["sources"])
SEARCHES = expand_searches(config["searches"])
OWN = sorted(map(str, Path("logs").glob("embedded-*/manifest.json")))  # our own tables, as far as there are some
SAVED = (".svg", ".pdf", ".png", ".csv", ".json")
shell.prefix(f"PATH='{Path(sys.executable).parent}':$PATH; ")  # the `natslib` beside this Snakemake


wildcard_constraints:
    source="|".join(SOURCES),
    search="|".join(SEARCHES["runs"]) or "none",
    settings=r"[a-z0-9-]+",
    dataset=SEARCHES["dataset"],
    space="tss|sss",
    shard=r"\d+",
    shards=r"\d+",


rule all:
    input:
        multiext(f"{FIGURES}/fig1_search_spaces", *SAVED),
        multiext(f"{FIGURES}/table2_recipes", *SAVED),
        expand(f"{FIGURES}/{{stem}}{{suffix}}", stem=asked_stems(config["sources"]), suffix=SAVED),


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
        options=lookup(dpath="runs/{search}", within=SEARCHES),
        folder=subpath(output.finished, parent=True),
    shell:
        "natslib search {params.options:q} --out {params.folder:q} > {log} 2>&1"


rule searches:
    """The records of all searches of a space, joined to two small files."""
    input:
        finished=lookup(dpath="finished/{space}", within=SEARCHES),
        library=imported_sources("natslib/workflow/join.py"),
    output:
        records="results/weight-sharing/{settings}/{space}-{dataset}.parquet",
        scores="results/weight-sharing/{settings}/{space}-{dataset}-scores.parquet",
    log:
        "results/logs/searches_{settings}_{space}-{dataset}.log",
    benchmark:
        "results/benchmarks/searches_{settings}_{space}-{dataset}.tsv"
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


rule search_spaces:
    """Figure 1: the skeleton, the cell, and what the two spaces hold."""
    input:
        notebook="notebooks/01_search_spaces.ipynb",
        library=imported_sources("notebooks/01_search_spaces.ipynb"),
    output:
        figure1=multiext(f"{FIGURES}/fig1_search_spaces", *SAVED),
        figure_counts=multiext(f"{FIGURES}/search_spaces_counts", *SAVED),
    log:
        notebook="results/notebooks/search_spaces.ipynb",
    benchmark:
        "results/benchmarks/search_spaces.tsv"
    params:
        figure1=subpath(output[0], strip_suffix=".svg"),
        figure_counts=subpath(output[5], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule protocol:
    """Tables 2 and 3: how candidates are trained, and on what."""
    input:
        notebook="notebooks/12_protocol.ipynb",
        library=imported_sources("notebooks/12_protocol.ipynb"),
    output:
        figure_recipes=multiext(f"{FIGURES}/table2_recipes", *SAVED),
        figure_datasets=multiext(f"{FIGURES}/table3_datasets", *SAVED),
    log:
        notebook="results/notebooks/protocol.ipynb",
    benchmark:
        "results/benchmarks/protocol.tsv"
    params:
        figure_recipes=subpath(output[0], strip_suffix=".svg"),
        figure_datasets=subpath(output[5], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule ranks:
    """Figures 2 and 4: ranks across datasets; ranks by validation against ranks by test accuracy."""
    input:
        notebook="notebooks/03_ranks.ipynb",
        library=imported_sources("notebooks/03_ranks.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure2=multiext(f"{FIGURES}/fig2_ranks_across_datasets_{{source}}", *SAVED),
        figure4=multiext(f"{FIGURES}/fig4_ranks_valid_test_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/ranks_{source}.ipynb",
    benchmark:
        "results/benchmarks/ranks_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        recipe=lookup(dpath="{source}/recipe", within=SOURCES),
        split=lookup(dpath="{source}/split", within=SOURCES),
        figure2=subpath(output[0], strip_suffix=".svg"),
        figure4=subpath(output[5], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule accuracy_vs_cost:
    """Figure 3: accuracy against parameters and FLOPs."""
    input:
        notebook="notebooks/02_accuracy_vs_cost.ipynb",
        library=imported_sources("notebooks/02_accuracy_vs_cost.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure3=multiext(f"{FIGURES}/fig3_accuracy_vs_cost_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/accuracy_vs_cost_{source}.ipynb",
    benchmark:
        "results/benchmarks/accuracy_vs_cost_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        recipe=lookup(dpath="{source}/recipe", within=SOURCES),
        splits=lookup(dpath="{source}/drawn", within=SOURCES),
        figure3=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule correlation:
    """Figure 5: correlation among datasets and splits, of all architectures and of the good ones."""
    input:
        notebook="notebooks/04_correlation.ipynb",
        library=imported_sources("notebooks/04_correlation.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure5=multiext(f"{FIGURES}/fig5_correlation_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/correlation_{source}.ipynb",
    benchmark:
        "results/benchmarks/correlation_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        recipe=lookup(dpath="{source}/recipe", within=SOURCES),
        figure5=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule seed_noise:
    """Not one figure of the paper but what all of them rest on: how far seeds alone move accuracies and ranks."""
    input:
        notebook="notebooks/05_seed_noise.ipynb",
        library=imported_sources("notebooks/05_seed_noise.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure_noise=multiext(f"{FIGURES}/seed_noise_{{source}}", *SAVED),
        figure_stability=multiext(f"{FIGURES}/rank_stability_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/seed_noise_{source}.ipynb",
    benchmark:
        "results/benchmarks/seed_noise_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        recipe=lookup(dpath="{source}/recipe", within=SOURCES),
        split=lookup(dpath="{source}/split", within=SOURCES),
        figure_noise=subpath(output[0], strip_suffix=".svg"),
        figure_stability=subpath(output[5], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule anytime:
    """The multi-trial curves: what the paper's searches have found as simulated time goes by, and later baselines."""
    input:
        notebook="notebooks/06_anytime.ipynb",
        library=imported_sources("notebooks/06_anytime.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure_anytime=multiext(f"{FIGURES}/anytime_{{source}}", *SAVED),
        figure_algorithms=multiext(f"{FIGURES}/algorithms_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/anytime_{source}.ipynb",
    benchmark:
        "results/benchmarks/anytime_{source}.tsv"
    threads: 2
    params:
        table=subpath(input.table, parent=True),
        runs=500,
        runs_others=30,
        figure_anytime=subpath(output[0], strip_suffix=".svg"),
        figure_algorithms=subpath(output[5], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule table4_multi_trial:
    """Table 4, first half: the multi-trial searches beside the printed numbers."""
    input:
        notebook="notebooks/07_table4_multi_trial.ipynb",
        library=imported_sources("notebooks/07_table4_multi_trial.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure_table4=multiext(f"{FIGURES}/table4_multi_trial_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/table4_multi_trial_{source}.ipynb",
    benchmark:
        "results/benchmarks/table4_multi_trial_{source}.tsv"
    threads: 2
    params:
        table=subpath(input.table, parent=True),
        runs=500,
        figure_table4=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule proxy_vs_full:
    """Search on a short training against search on the full one."""
    input:
        notebook="notebooks/08_proxy_vs_full.ipynb",
        library=imported_sources("notebooks/08_proxy_vs_full.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure_proxy=multiext(f"{FIGURES}/proxy_vs_full_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/proxy_vs_full_{source}.ipynb",
    benchmark:
        "results/benchmarks/proxy_vs_full_{source}.tsv"
    threads: 2
    params:
        table=subpath(input.table, parent=True),
        runs=500,
        figure_proxy=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule nasbench201:
    """NAS-Bench-201, Table 5 and sorted accuracies: its multi-trial searches of 12,000 s on CIFAR-10."""
    input:
        notebook="notebooks/09_nasbench201.ipynb",
        library=imported_sources("notebooks/09_nasbench201.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure_sorted=multiext(f"{FIGURES}/nasbench201_{{source}}", *SAVED),
        figure_rows=multiext(f"{FIGURES}/nasbench201_table5_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/nasbench201_{source}.ipynb",
    benchmark:
        "results/benchmarks/nasbench201_{source}.tsv"
    threads: 2
    params:
        table=subpath(input.table, parent=True),
        runs=500,
        figure_sorted=subpath(output[0], strip_suffix=".svg"),
        figure_rows=subpath(output[5], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule your_algorithm:
    """Not in the paper: an algorithm written in the notebook, beside the baselines and on the leaderboard."""
    input:
        notebook="notebooks/10_your_algorithm.ipynb",
        library=imported_sources("notebooks/10_your_algorithm.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure_yours=multiext(f"{FIGURES}/your_algorithm_{{source}}", *SAVED),
        entry="results/leaderboard/my_search_{source}/entry.json",
    log:
        notebook="results/notebooks/your_algorithm_{source}.ipynb",
    benchmark:
        "results/benchmarks/your_algorithm_{source}.tsv"
    threads: 2
    params:
        table=subpath(input.table, parent=True),
        runs=500,
        entry=subpath(output.entry, parent=True),
        figure_yours=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule weight_sharing:
    """The weight-sharing curves: what the architecture that a search names after each epoch is worth."""
    input:
        notebook="notebooks/15_weight_sharing.ipynb",
        library=imported_sources("notebooks/15_weight_sharing.ipynb"),
        table="results/tables/{source}/manifest.json",
        searches=SEARCHES["files"],
        own=OWN,
    output:
        figure_epochs=multiext(f"{FIGURES}/weight_sharing_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/weight_sharing_{source}.ipynb",
    benchmark:
        "results/benchmarks/weight_sharing_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        searches=SEARCHES["folder"],
        dataset=SEARCHES["dataset"],
        figure_epochs=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule table4_weight_sharing:
    """Table 4, second half: the weight-sharing searches beside the printed numbers."""
    input:
        notebook="notebooks/16_table4_weight_sharing.ipynb",
        library=imported_sources("notebooks/16_table4_weight_sharing.ipynb"),
        table="results/tables/{source}/manifest.json",
        searches=SEARCHES["files"],
        own=OWN,
    output:
        figure_table4=multiext(f"{FIGURES}/table4_weight_sharing_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/table4_weight_sharing_{source}.ipynb",
    benchmark:
        "results/benchmarks/table4_weight_sharing_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        searches=SEARCHES["folder"],
        dataset=SEARCHES["dataset"],
        figure_table4=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule what_goes_wrong:
    """Not one figure of the paper: collapse, magnitude against masking, and how supernets rank."""
    input:
        notebook="notebooks/17_what_goes_wrong.ipynb",
        library=imported_sources("notebooks/17_what_goes_wrong.ipynb"),
        table="results/tables/{source}/manifest.json",
        searches=SEARCHES["files"],
        own=OWN,
    output:
        figure_operations=multiext(f"{FIGURES}/operations_over_epochs_{{source}}", *SAVED),
        figure_magnitudes=multiext(f"{FIGURES}/magnitude_and_masking_{{source}}", *SAVED),
        figure_ranks=multiext(f"{FIGURES}/supernet_ranks_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/what_goes_wrong_{source}.ipynb",
    benchmark:
        "results/benchmarks/what_goes_wrong_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        searches=SEARCHES["folder"],
        dataset=SEARCHES["dataset"],
        figure_operations=subpath(output[0], strip_suffix=".svg"),
        figure_magnitudes=subpath(output[5], strip_suffix=".svg"),
        figure_ranks=subpath(output[10], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule fresh_training:
    """Not in the paper: networks trained now, beside what the table holds of them."""
    input:
        notebook="notebooks/13_fresh_training.ipynb",
        library=imported_sources("notebooks/13_fresh_training.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure_fresh=multiext(f"{FIGURES}/fresh_training_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/fresh_training_{source}.ipynb",
    benchmark:
        "results/benchmarks/fresh_training_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        split=lookup(dpath="{source}/split", within=SOURCES),
        figure_fresh=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule embedded_quality:
    """Not in the paper: how far our own small benchmark agrees with itself, with real results and with parameters."""
    input:
        notebook="notebooks/14_embedded_quality.ipynb",
        library=imported_sources("notebooks/14_embedded_quality.ipynb"),
        table="results/tables/{source}/manifest.json",
    output:
        figure_quality=multiext(f"{FIGURES}/embedded_quality_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/embedded_quality_{source}.ipynb",
    benchmark:
        "results/benchmarks/embedded_quality_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        figure_quality=subpath(output[0], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


rule darts_pt:
    """Not in the paper: DARTS-PT against choice by magnitude, on trained supernets and on a table as a perfect one."""
    input:
        notebook="notebooks/11_darts_pt.ipynb",
        library=imported_sources("notebooks/11_darts_pt.ipynb"),
        table="results/tables/{source}/manifest.json",
        searches=SEARCHES["files"],
    output:
        figure_choices=multiext(f"{FIGURES}/darts_pt_{{source}}", *SAVED),
        figure_strength=multiext(f"{FIGURES}/darts_pt_strength_{{source}}", *SAVED),
        figure_orders=multiext(f"{FIGURES}/darts_pt_orders_{{source}}", *SAVED),
        figure_rows=multiext(f"{FIGURES}/darts_pt_table_{{source}}", *SAVED),
    log:
        notebook="results/notebooks/darts_pt_{source}.ipynb",
    benchmark:
        "results/benchmarks/darts_pt_{source}.tsv"
    params:
        table=subpath(input.table, parent=True),
        searches=SEARCHES["folder"],
        dataset=SEARCHES["dataset"],
        figure_choices=subpath(output[0], strip_suffix=".svg"),
        figure_strength=subpath(output[5], strip_suffix=".svg"),
        figure_orders=subpath(output[10], strip_suffix=".svg"),
        figure_rows=subpath(output[15], strip_suffix=".svg"),
    script:
        "natslib/workflow/execute.py"


onsuccess:
    print(f"The figures are in {FIGURES}/, the notebooks that drew them in results/notebooks/.")
