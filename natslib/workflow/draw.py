"""Draw an item of the catalogue from a source; where the source lacks what it needs, its figures say that in words.

The Snakefile calls it: `python -m natslib.workflow.draw EXECUTED ITEM NAME=VALUE ...`, the values in JSON.
"""

import json
import sys
import textwrap
from collections.abc import Mapping
from pathlib import Path

import pandas as pd
from papermill.exceptions import PapermillExecutionError

from natslib.errors import NatslibError, NotMeasured
from natslib.workflow import parameters
from natslib.workflow.catalogue import CATALOGUE, Item
from natslib.workflow.notebook import Value, failure, run_notebook
from natslib.workflow.running import end_with_snakemake

_WIDTH, _LINE_IN = 34, 0.15  # characters of a line of a reason, and its height


def draw_item(item: Item, executed: Path, given: Mapping[str, Value]) -> str | None:
    """Run the notebook of `item` with the parameters `given`, and write it to `executed`.

    Where it stops because the table lacks something (`NotMeasured`), the figures that it has not saved yet are left
    out: each is a picture of the reason, which is returned. Any other error of the notebook is raised.
    """
    try:
        run_notebook(Path(item.path), executed, given)
    except PapermillExecutionError as error:
        if error.ename != NotMeasured.__name__:
            raise
        _leave_out(item, given, error.evalue)
        return str(error.evalue)
    return None


def _leave_out(item: Item, given: Mapping[str, Value], reason: str) -> None:
    from natslib import plots  # most items are drawn, by their notebooks, without them here

    plots.use_style()
    asked = parameters.check(given)
    lines = len(textwrap.wrap(reason, _WIDTH))
    for name in item.figures:
        if Path(f"{asked.stem(name)}.json").exists():
            continue
        fig, axes = plots.new_figure(1, 1, height_in=0.4 + _LINE_IN * lines, width_in=plots.ONE_COLUMN)
        plots.draw_absent(axes[0, 0], reason)
        plots.write_caption(fig, title=item.named)
        rows = pd.DataFrame({"left out": [reason]})
        table = rows if name in item.tables else None
        plots.save(fig, rows, asked.stem(name), asked.provenance(), rows=table)


def main(executed: str, name: str, *told: str) -> int:
    """Draw the item `name`; say what stopped it, and return 1, where its notebook failed."""
    given = {key: json.loads(value) for key, value in (each.split("=", 1) for each in told)}
    try:
        if reason := draw_item(CATALOGUE[name], Path(executed), given):
            print(f"{name} is left out: {reason}", file=sys.stderr)
    except PapermillExecutionError as error:
        print(f"{name} stopped in {failure(Path(executed)) or error.ename}; see {executed}", file=sys.stderr)
        return 1
    except NatslibError as error:
        print(f"{name}: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    end_with_snakemake()
    sys.exit(main(*sys.argv[1:]))
