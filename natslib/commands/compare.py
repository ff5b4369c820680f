"""`natslib compare`: what scores of one's own say of accuracies, beside parameters and FLOPs."""

import argparse
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from tqdm import tqdm

from natslib.analysis.architectures import cost_frame
from natslib.analysis.columns import LONGEST, accuracy_frame, describe, find_columns
from natslib.analysis.correlation import METHODS
from natslib.analysis.equal_networks import answered
from natslib.analysis.scores import BASELINES, RESAMPLES, compare_scores
from natslib.commands.exits import DONE
from natslib.commands.options import RECIPE, TABLE, add_json, from_0, print_json
from natslib.errors import ConfigError
from natslib.tables import Table, load
from natslib.tables.reported import source_line
from natslib.tables.sources.encodings import ENCODINGS
from natslib.tables.sources.scores import read_scores

EPILOG = """examples:
  natslib compare scores.csv
  natslib compare scores.csv --table logs/embedded-tss --through-class --score synflow naswot
  natslib compare scores.csv --json > compared.json
  natslib compare scores.csv --figure figures/my-scores      (writes .svg, .pdf, .png, .csv and .json)

scores.csv has a row an architecture: a column with official indices or strings, such as "arch", or with codes and
--encoding, or a column a position; every other column of numbers is a score:
  arch,synflow,naswot
  6111,78.1,1604.2
Each score, and beside it the number of parameters and FLOPs of the same architectures, is correlated with every
accuracy of the table. Intervals are of 95 %, by bootstrap over different networks; `gain` is τ-b above that of the
parameters."""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib compare`."""
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter
    parser.add_argument("scores", type=Path, help="table of scores: .csv, .tsv, .jsonl, .parquet, ...")
    parser.add_argument("--table", default="published", help=f"{TABLE} (published)")
    parser.add_argument(
        "--recipe", default=LONGEST, help=f"{RECIPE} of the accuracies (the longest of each dataset)"
    )
    parser.add_argument(
        "--score", nargs="+", action="extend", metavar="COLUMN", help="columns that are scores (all)"
    )
    parser.add_argument(
        "--arch-column",
        nargs="+",
        metavar="COLUMN",
        help="column of the architectures, or one a position (left out: recognised)",
    )
    parser.add_argument(
        "--encoding", choices=ENCODINGS, help="how architectures are written (indices or strings)"
    )
    parser.add_argument(
        "--through-class",
        action="store_true",
        help="cells not trained are answered by a trained one of exactly equal network",
    )
    parser.add_argument(
        "--resamples", type=from_0, default=RESAMPLES, help=f"of the bootstrap; 0: no intervals ({RESAMPLES})"
    )
    parser.add_argument("--seed", type=from_0, default=0, help="of the bootstrap (0)")
    parser.add_argument("--figure", type=Path, metavar="OUT", help="draw it too: files OUT.svg, OUT.csv, ...")
    add_json(parser)


def run(args: argparse.Namespace) -> int:
    """Compare, print it, draw it where asked, and return 0; raises `BadSource`, `ConfigError`, `NotMeasured`."""
    if args.figure:
        from natslib.plots.scores import scores_figure  # noqa: F401 (says at once where packages are missing)
    table = load(args.table).through_classes() if args.through_class else load(args.table)
    scores, aside = read_scores(
        args.scores, table.space, arch=args.arch_column or (), encoding=args.encoding, names=args.score or ()
    )
    if aside:
        print(f"no numbers, so no score: {', '.join(aside)}", file=sys.stderr)
    if lacking := len(scores) - len(scores.dropna()):
        print(f"{lacking:,} of {len(scores):,} architectures lack a score and are left out", file=sys.stderr)
    told = table_scores(
        table,
        scores,
        recipe=args.recipe,
        resamples=args.resamples,
        seed=args.seed,
        progress=sys.stderr.isatty(),
    )
    if warning := equal_warning(table, scores.dropna()):
        print(f"natslib compare: {warning}", file=sys.stderr)
    if args.figure:
        _draw(told, scores, table, args)
    if args.json:
        networks = answered(table.space.classes()[scores.dropna().index]).to_dict()
        print_json(
            {"scores": args.scores, "table": args.table, **networks, "rows": told.rows.to_dict("records")}
        )
        return DONE
    _print(told.rows)
    return DONE


class Compared:
    """What `table_scores` found: its rows, and the accuracies that they are about."""

    def __init__(self, rows: pd.DataFrame, accuracy: pd.DataFrame, columns: list[Any]) -> None:
        self.rows, self.accuracy, self.columns = rows, accuracy, columns


def table_scores(
    table: Table,
    scores: pd.DataFrame,
    *,
    recipe: str = LONGEST,
    resamples: int = RESAMPLES,
    seed: int = 0,
    progress: bool = False,
) -> Compared:
    """Compare scores (a row an architecture, index arch_index, a column a score) with every accuracy of a table.

    Rows as of `analysis.scores.compare_scores`, with the dataset, split and recipe of each column.
    """
    columns = find_columns(table.runs(), table.values, recipe=recipe)
    accuracy = accuracy_frame(table.values, columns)
    by_title = cost_frame(table.space, table.values, columns)
    costs = pd.DataFrame(
        {(metric, each.label): by_title[f"{metric} {each.title}"] for each in columns for metric in BASELINES}
    )
    with tqdm(total=len(columns), desc="compare", unit="column", disable=not progress) as bar:
        rows = compare_scores(
            scores,
            accuracy,
            costs,
            table.space.classes(),
            resamples=resamples,
            seed=seed,
            report=lambda done, total: bar.update(1),
        )
    places = pd.DataFrame([{"column": each.label, **each.key} for each in columns])
    return Compared(rows.merge(places, on="column"), accuracy, columns)


def equal_warning(table: Table, scores: pd.DataFrame) -> str:
    """Return the warning, with its numbers, that architectures among those scored are exactly equal networks; or ''."""
    found = answered(table.space.classes()[scores.index])
    if not found["with an equal one"]:
        return ""
    return (
        f"{found['with an equal one']:,} of the {found['architectures']:,} architectures have an exactly equal network "
        f"among them; they are {found['networks']:,} different networks: a score of the network alone must be the same "
        "for equal ones, and their accuracies differ by the seed alone"
    )


def _print(rows: pd.DataFrame) -> None:
    for (column, dataset, split, recipe), part in rows.groupby(
        ["column", "dataset", "split", "recipe"], sort=False
    ):
        n, networks = part["n"].iloc[0], part["networks"].iloc[0]
        print(
            f"{column}: {dataset}, split {split}, recipe {recipe}; {n:,} architectures, {networks:,} networks"
        )
        shown = pd.DataFrame({"score": part["score"]})
        for name, title in {**METHODS, "gain": "gain"}.items():
            shown[title] = [
                _interval(*ends)
                for ends in part[[name, f"{name}_low", f"{name}_high"]].itertuples(index=False)
            ]
        print(shown.to_string(index=False))


def _interval(value: float, low: float, high: float) -> str:
    if pd.isna(value):
        return "–"
    return f"{value:.3f}" if pd.isna(low) or low == high else f"{value:.3f} [{low:.3f}, {high:.3f}]"


def _draw(told: Compared, scores: pd.DataFrame, table: Table, args: argparse.Namespace) -> None:
    from natslib import plots
    from natslib.plots.scores import scores_figure

    plots.use_style()
    drawn = told.rows["column"].unique()
    known = {
        name: scores.dropna().join(told.accuracy[name], how="inner").dropna(subset=name) for name in drawn
    }
    if taken := set(scores.columns) & set(drawn):
        raise ConfigError(f"a score is called {min(taken)!r}, as a column of accuracies is; rename it")
    fig = scores_figure(told.rows, known)
    own = (
        told.rows[~told.rows["score"].isin(list(BASELINES.values()))]
        .dropna(subset="gain")
        .sort_values("gain")
    )
    if own.empty:
        claim = "every score is the same for all architectures"
    else:
        best = own.iloc[-1]
        claim = (
            f"at best, {best['score']} reaches τ-b {best['kendall']:.3f} on {best['column']}, {best['gain']:+.3f} "
            "against the number of parameters"
        )
    plots.write_caption(
        fig,
        claim,
        "Kendall's τ-b with 95 % intervals (bootstrap over different networks), and accuracy against the rank by the "
        "score that correlates most",
        describe(told.columns),
        source_line(table.manifest),
        title=f"Scores of {args.scores.name} against accuracies",
    )
    stem = args.figure.with_suffix("") if args.figure.suffix in (".svg", ".pdf", ".png") else args.figure
    origin = {name: table.manifest[name] for name in ("origin", "space", "source") if name in table.manifest}
    saved = plots.save(fig, told.rows, stem, {"scores": args.scores.name, "table": origin})
    print(f"drawn: {saved['svg']}", file=sys.stderr)
