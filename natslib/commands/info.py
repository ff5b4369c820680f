"""`natslib info`: say what a table holds."""

import argparse

from natslib.commands.options import TABLE, add_json, print_json
from natslib.datasets import PAPER, SPLIT_TITLES
from natslib.tables import Table, load
from natslib.tables.format.schema import METRICS
from natslib.tables.reported import contradicting

SHOWN = 3  # damaged files, each with its reason


EPILOG = """examples:
  natslib info published
  natslib info TABLE --verify        (are its files, received from somebody, those of its manifest?)
  natslib info TABLE --json          (the manifest, and a record a block)"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `natslib info`."""
    parser.add_argument("table", help=TABLE)
    add_json(parser)
    parser.add_argument(
        "--verify", action="store_true", help="compare every file with the SHA-256 in the manifest first"
    )
    parser.epilog, parser.formatter_class = EPILOG, argparse.RawDescriptionHelpFormatter


def run(args: argparse.Namespace) -> int:
    """Print what the table holds."""
    table = load(args.table)
    files = table.verify() if args.verify else None
    runs = table.runs()
    if args.json:
        print_json(table.manifest | {"blocks": runs.to_dict("records"), "lacks": _lacking(table)})
        return 0
    print(f"origin      {table.manifest['origin']}")
    print(f"space       {table.space.name} ({table.space.title}), {len(table.space):,} architectures")
    print(f"missing     {_gaps(table)}")
    if lacks := _lacking(table):
        official = (
            "; the official archives have it (natslib fetch)" if set(runs["dataset"]) & set(PAPER) else ""
        )
        print(f"lacks       {', '.join(lacks)}{official}")
    for dataset, recipe in dict.fromkeys(zip(runs["dataset"], runs["recipe"], strict=True)):
        print(f"measured    {_answered_line(table, dataset, recipe)}")
    damaged = table.manifest.get("damaged", [])
    print(f"damaged     {len(damaged)} files")
    for damage in damaged[:SHOWN]:
        print(f"            {damage['file']}: {damage['reason']}")
    if len(damaged) > SHOWN:
        print(f"            and {len(damaged) - SHOWN} more; `natslib info --json` lists all")
    print(f"costs       {_costs_line(table.manifest['costs'])}")
    for name, metric in table.metrics.items():
        if name not in METRICS:
            print(f"own metric  {name} ({metric.unit}), {metric.better} is better")
    if files is not None:
        print(f"verified    {f'{files} files' if files else 'its files, as whenever it is loaded'}")
    for key in dict.fromkeys(zip(runs["dataset"], runs["recipe"], runs["split"], strict=True)):
        print(_block_line(table, *key))
    return 0


def _lacking(table: Table) -> list[str]:
    """Return in words which accuracies no block of the table holds, and whether it has no curves."""
    runs = table.runs("accuracy")
    titles = [SPLIT_TITLES[split] for split in ("train", "valid", "test") if split not in set(runs["split"])]
    blocks = runs[["dataset", "recipe", "split"]].drop_duplicates().itertuples(index=False)
    curves = [] if any(table.curves(*block) != "none" for block in blocks) else ["curves"]
    return [*(f"{title} accuracy" for title in titles), *curves]


def _costs_line(costs: dict[str, int]) -> str:
    """Say how many rows contradict what is known of their costs."""
    if not costs["checked"]:
        return "none stored that a closed form is known of"
    return f"{contradicting(costs)} the closed form of parameters and FLOPs"


def _gaps(table: Table) -> str:
    """Name the architectures that the table lacks, the first eight runs of indices."""
    told = table.manifest.get("architectures", {}).get("missing")
    gaps = list(map(str, table.missing().tolist())) if told is None else told
    return ", ".join(gaps[:8]) + (" ..." if len(gaps) > 8 else "") or "no architecture"


def _answered_line(table: Table, dataset: str, recipe: str) -> str:
    """Say how many cells were trained there, and for how many more an equal network of theirs was."""
    runs = table.runs()
    split = runs.loc[(runs["dataset"] == dataset) & (runs["recipe"] == recipe), "split"].iloc[0]
    trained, answered = (
        int((each.answered_by(dataset, recipe, split) >= 0).sum())
        for each in (table, table.through_classes())
    )
    more = f"; {answered:,} through their class of equal networks" if answered > trained else ""
    return f"{dataset} recipe {recipe}: {trained:,} of {len(table.space):,}{more}"


def _block_line(table: Table, dataset: str, recipe: str, split: str) -> str:
    """Say what the runs of one dataset, recipe and split hold."""
    runs = table.runs()
    of = runs[(runs["dataset"] == dataset) & (runs["recipe"] == recipe) & (runs["split"] == split)]
    seeds = ", ".join(f"{seed} ({count:,})" for seed, count in zip(of["seed"], of["n_archs"], strict=True))
    metrics = " ".join(table.measured_metrics(dataset, recipe, split))
    return (
        f"{dataset:15} recipe {recipe:>4}  {split:8} epochs {of['epochs'].max():>3}  seeds {seeds}  "
        f"{metrics}; curves: {table.curves(dataset, recipe, split)}"
    )
