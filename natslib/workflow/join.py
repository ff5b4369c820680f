"""The script behind the rule that joins the records of finished weight-sharing searches."""

from pathlib import Path

from snakemake.iocontainers import Snakemake

from natslib.weight_sharing.records import join_runs

snakemake: Snakemake  # put here by Snakemake, together with its value

join_runs(
    folders=[Path(marker).parent for marker in snakemake.input.finished],
    records=Path(snakemake.output.records),
    scores=Path(snakemake.output.scores),
)
