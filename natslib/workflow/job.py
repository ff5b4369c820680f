"""`natslib` as a rule of the Snakefile calls it: `python -m natslib.workflow.job convert ...`.

It ends with the Snakemake above it. A conversion that left damaged records out counts as done: its log and manifest say
what is missing, and the workflow says it again when it ends.
"""

import sys

from natslib.commands import main
from natslib.commands.convert import DAMAGED
from natslib.workflow.running import end_with_snakemake

if __name__ == "__main__":
    end_with_snakemake()
    code = main()
    sys.exit(0 if code == DAMAGED else code)
