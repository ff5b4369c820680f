"""The benchmarks that NATS-Bench's Table 1 compares: what is printed of each, beside what is counted here."""

from collections.abc import Mapping

import pandas as pd

from natslib.analysis.printed import EVIDENCE


def benchmark_rows(printed: pd.DataFrame, counted: Mapping[tuple[str, str], str]) -> pd.DataFrame:
    """Return one row a property and two columns a benchmark, named by its title: "printed", with the mark of its
    evidence (`printed.EVIDENCE`), and "here"; the second is left out where nothing of a benchmark is counted.

    `printed`: `printed.read_benchmarks`; `counted`: the texts by (benchmark, property).
    """
    marked = printed["printed"] + printed["evidence"].map(EVIDENCE)
    here = [counted.get(key, "") for key in zip(printed["benchmark"], printed["property"], strict=True)]
    long = printed.assign(printed=marked.fillna(""), here=here)
    wide = long.pivot(index="property", columns="title", values=["printed", "here"]).swaplevel(axis=1)
    names = [(title, kind) for title in printed["title"].unique() for kind in ("printed", "here")]
    kept = [name for name in names if (wide[name] != "").any()]
    rows = wide.loc[printed["property"].unique(), kept]
    rows.insert(0, ("", "property"), rows.index)
    return rows.reset_index(drop=True)
