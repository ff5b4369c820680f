"""Save a figure with the numbers it draws and where they come from."""

import io
import json
import os
from pathlib import Path
from typing import Any

import matplotlib as mpl
import pandas as pd
from matplotlib.figure import Figure

import natslib

DPI = {"svg": 130, "pdf": 130, "png": 200}  # of the points inside the vector files, and of the picture
_METADATA: dict[str, dict[str, Any]] = {"svg": {"Date": None}, "pdf": {"CreationDate": None}, "png": {}}
_SETTINGS: dict[Any, Any] = {"svg.hashsalt": "natslib", "svg.fonttype": "path", "pdf.fonttype": 42}


def save(fig: Figure, data: pd.DataFrame, stem: str | Path, provenance: dict[str, Any]) -> dict[str, Path]:
    """Write stem.svg, .pdf, .png, .csv (the numbers drawn) and .json (provenance and natslib's version).

    Returns the paths by suffix. Each file appears whole or not at all, and holds the same bytes whenever the same
    figure is saved with the same libraries. Numbers have eight significant digits. The folder is made if missing.
    """
    base = Path(stem)
    base.parent.mkdir(parents=True, exist_ok=True)
    contents = {suffix: _rendered(fig, suffix) for suffix in _METADATA}
    contents["csv"] = data.to_csv(index=False, float_format="%.8g", lineterminator="\n").encode()
    record = {"natslib": natslib.__version__, "figure": base.name, **provenance}
    contents["json"] = (
        json.dumps(record, indent=1, sort_keys=True, ensure_ascii=False, default=str) + "\n"
    ).encode()
    return {
        suffix: _write(base.with_name(f"{base.name}.{suffix}"), content)
        for suffix, content in contents.items()
    }


def _rendered(fig: Figure, suffix: str) -> bytes:
    buffer = io.BytesIO()
    with mpl.rc_context(_SETTINGS):
        fig.savefig(buffer, format=suffix, dpi=DPI[suffix], metadata=_METADATA[suffix])
    return buffer.getvalue()


def _write(path: Path, content: bytes) -> Path:
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        partial.write_bytes(content)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return path
