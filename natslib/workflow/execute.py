"""The one script behind every notebook rule of the Snakefile: `params` are the notebook's, `log` is where it goes."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from natslib.workflow.notebook import run_notebook

snakemake: Snakemake  # put here by Snakemake, together with its value

run_notebook(
    notebook=Path(snakemake.input.notebook),
    executed=Path(snakemake.log.notebook),
    parameters=dict(snakemake.params.items()),
)
