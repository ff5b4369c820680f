"""Run the searches that several items show, once: `python -m natslib.workflow.searched TABLE FOLDER RUNS PROCESSES`.

They are the multi-trial searches of NATS-Bench's Table 4, on every dataset of the table that can be searched. The
Snakefile calls it; notebooks find the runs by `Study.search`.
"""

import sys
from pathlib import Path

import natslib
from natslib.analysis.search_verdicts import SEARCHES
from natslib.errors import NotMeasured
from natslib.search.store import repeat_into, run_folder
from natslib.search.study import Study, find_studies
from natslib.workflow.running import end_with_snakemake

SEED = 0
"""The notebooks' default."""


def keep_runs(study: Study, name: str, base: Path, runs: int, processes: int) -> None:
    """Search, and keep the runs in a folder of their own below `base`."""
    oracle = study.oracle_of(name)
    folder = run_folder(base, name, oracle, study.protocol, runs=runs, seed=SEED)
    repeat_into(folder, name, oracle, study.protocol, runs=runs, seed=SEED, processes=processes)


if __name__ == "__main__":
    end_with_snakemake()
    table, base, runs, processes = sys.argv[1:]
    Path(base).mkdir(parents=True, exist_ok=True)
    try:
        studies = find_studies(natslib.load(table))
    except NotMeasured as error:  # what searches lacks the same, and says so
        print(error)
        studies = []
    for study in studies:
        lacking = study.lacking(SEARCHES)
        for name in (each for each in SEARCHES if each not in lacking):
            print(f"{study.title}: {runs} runs of {name}", flush=True)
            keep_runs(study, name, Path(base), int(runs), int(processes))
