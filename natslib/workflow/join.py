"""Join the records of finished weight-sharing searches.

The Snakefile calls it: `python -m natslib.workflow.join RECORDS SCORES FINISHED ...`, files to write and markers.
"""

import sys
from pathlib import Path

from natslib.weight_sharing.records import join_runs
from natslib.workflow.running import end_with_snakemake

if __name__ == "__main__":
    end_with_snakemake()
    records, scores, *finished = map(Path, sys.argv[1:])
    join_runs(folders=[marker.parent for marker in finished], records=records, scores=scores)
