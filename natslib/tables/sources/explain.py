"""How a table would be read, said before anything is written."""

from pathlib import Path

import numpy as np
import pandas as pd

from natslib.errors import shown
from natslib.tables.format.schema import MEAN_ONLY, UNITS
from natslib.tables.sources.cells import texts
from natslib.tables.sources.mapping import Mapping, read_mapping
from natslib.tables.sources.tidy import Reading, put_together, read_files, tidy_files


def explain(path: Path, mapping_path: Path) -> str:
    """Return how a table is understood with a mapping; raises what converting it would raise."""
    tidy_files(path, mapping_path)
    mapping = read_mapping(mapping_path)
    readings = list(read_files(path, mapping))
    put_together(readings, mapping)
    return "\n\n".join(_explain_file(reading, mapping) for reading in readings)


def _explain_file(reading: Reading, mapping: Mapping) -> str:
    sheet = reading.sheet
    found = (
        ""
        if sheet.separator is None
        else f", separator {sheet.separator!r}, decimal sign {reading.decimal!r}"
    )
    units = UNITS | {name: own.unit for name, own in mapping.metrics.items()}
    lines = [
        f"{sheet.path}: {len(sheet.frame):,} rows, {mapping.space.title} space{found}",
        _first_row(reading, mapping),
        pd.DataFrame(_metrics(reading, units)).to_string(index=False, na_rep="-"),
    ]
    if keys := [f"{key} in {shown(name)}" for key, name in mapping.keys.items()]:
        lines.insert(2, f"rows are told apart by {', '.join(keys)}")
    unused = [name for name in sheet.names if name not in mapping.used]
    return "\n".join([*lines, f"not used: {', '.join(unused) or 'nothing'}"])


def _first_row(reading: Reading, mapping: Mapping) -> str:
    written = ", ".join(shown(texts(reading.sheet.frame[name]).iloc[0]) for name in mapping.arch)
    index = int(reading.index[0])
    how = "" if mapping.encoding is None else f" ({mapping.encoding})"
    return f"row 1: {written}{how} is architecture {index}, {mapping.space.string(index)}"


def _metrics(reading: Reading, units: dict[str, str]) -> list[dict[str, object]]:
    return [
        {
            "column": reading.origins[block, metric],
            "dataset": block.dataset,
            "recipe": block.recipe,
            "split": block.split,
            "seed": "mean" if block.seed == MEAN_ONLY else str(block.seed),
            "metric": metric,
            "unit": units[metric],
            "values": int(np.isfinite(values).sum()),
            "smallest": np.nanmin(values) if np.isfinite(values).any() else np.nan,
            "largest": np.nanmax(values) if np.isfinite(values).any() else np.nan,
        }
        for block, rows in reading.blocks.items()
        for metric, values in rows.values.items()
    ]
