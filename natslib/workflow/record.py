"""Record the runs that `natslib search --out RUNS` has done: `python -m natslib.workflow.record RUNS FILE`."""

import sys
from pathlib import Path

from natslib.search.recorded import record_runs

if __name__ == "__main__":
    record_runs(Path(sys.argv[1]), Path(sys.argv[2]))
