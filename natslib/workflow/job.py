"""`natslib` as a rule of the Snakefile calls it: `python -m natslib.workflow.job convert ...`.

It ends with the Snakemake above it. A conversion that left damaged records out counts as done: its log and manifest say
what is missing, and the workflow says it again when it ends. Before it makes a table anew, Snakemake removes the
manifest; what else is left of that table goes here, for a conversion touches no files that may be somebody's own.
"""

import shutil
import sys
from pathlib import Path

from natslib.commands import main
from natslib.commands.exits import DAMAGED
from natslib.tables.format.folder import MANIFEST
from natslib.workflow.running import end_with_snakemake


def clear_remains(table: Path) -> None:
    """Remove the folder of a table that has lost its manifest, unless a conversion has begun in it and goes on."""
    if not (table / MANIFEST).exists() and not (table / ".parts" / "plan").exists():
        shutil.rmtree(table, ignore_errors=True)


if __name__ == "__main__":
    end_with_snakemake()
    if sys.argv[1] == "convert":
        clear_remains(Path(sys.argv[3]))
    code = main()
    sys.exit(0 if code == DAMAGED else code)
