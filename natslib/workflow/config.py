"""The workflow's configuration, checked and with its paths spelt out."""

import json
import os
import re
import shlex
from collections.abc import Mapping
from itertools import product
from pathlib import Path
from typing import Any

from natslib.errors import ConfigError, unknown_name
from natslib.spaces import SPACES
from natslib.workflow.catalogue import CATALOGUE, Item, asked_of
from natslib.workflow.lacking import lacks, read_manifest

CONFIG = "config/default.yaml"
"""What the Snakefile takes where no other configuration is named."""
TABLES = "results/tables"
"""The folder of the tables, a folder a source in it."""
TRAINING = "results/training"
"""The folder of the raw logs that the workflow trains, a folder a source in it."""
TRAJECTORIES = "results/multi-trial"
"""The folder of the trajectories of the searches that several items show, a folder a source in it."""
SEARCHED = "results/weight-sharing"
"""The folder of the weight-sharing searches that the workflow runs."""


def expand_sources(sources: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return `sources` as the Snakefile's rules use them, with `~` and `$VARIABLES` in paths replaced.

    A source becomes origin, `files` (what must be there before it is converted: the markers of all shards, of one that
    is trained; `published` is no file), `options` (what `natslib convert` is told besides) and, of one that is trained,
    `folder` (of its raw logs) and `training` (what `natslib train` is told). Raises ConfigError for a path that cannot
    be, and `UnknownName` for a training on a space that is none of `SPACES`.
    """
    return {
        name: _trained(name, source["train"]) if "train" in source else _given(name, source)
        for name, source in sources.items()
    }


def command_to_draw(stem: str, folder: str, config: str = CONFIG) -> str:
    """Return the command that draws a figure of the configuration file `config` into its `folder`."""
    other = "" if config == CONFIG else f" --configfile {shlex.quote(config)}"
    return f"snakemake --cores 2{other} -- {folder}/{stem}.svg"


def asked_files(config: Mapping[str, Any], *, sure: bool = False) -> list[str]:
    """Return every file that a configuration asks for: what needs no source, and what its sources can give.

    Left out is what `left_out` lists; with `sure`, also what needs `data` of a table that is not converted yet. Raises
    as `left_out`.
    """
    out, asked = left_out(config), set()
    for name, source in config["sources"].items():
        unsure = sure and _of_origin(source) is None
        asked |= {
            (stem, f"_{name}")
            for stem in _asked(source)
            if f"{stem}_{name}" not in out and not (unsure and _item_of(stem).data)
        }
    return [
        f"{config['figures']}/{stem}{behind}{suffix}"
        for item in CATALOGUE.values()
        for parameter, stem in item.figures.items()
        for behind in (["", *(f"_{name}" for name in config["sources"])])
        if (stem, behind) in asked or (not item.behind and not behind)
        for suffix in item.files(parameter)
    ]


def left_out(config: Mapping[str, Any]) -> dict[str, str]:
    """Return the figures that a configuration asks for and that its sources cannot give, each with the reason.

    That is the kind of the source, what its table lacks, as far as that is there, and of `all`, searches, by settings
    of their own or on further datasets, that the configuration lacks. Raises `ConfigError` for a figure of such
    searches that is asked for by name, and `UnknownName` for one that is not in the catalogue and for a space that is
    none of `SPACES`.
    """
    unsearched = _lacking(expand_searches(config["searches"]))
    found = {}
    for name, source in config["sources"].items():
        manifest = _of_origin(source) or read_manifest(f"{TABLES}/{name}")
        for stem, reason in _asked(source).items():
            if stem in unsearched and source["items"] != "all":
                raise ConfigError(
                    f"the item {stem!r} needs searches with the settings {', '.join(unsearched[stem])}, which the "
                    "configuration neither runs nor has; config/weight-sharing.yaml runs them, and "
                    "logs/weight-sharing has them"
                )
            searches = f"no searches with the settings {', '.join(unsearched.get(stem, []))}"
            found[f"{stem}_{name}"] = (
                reason
                or (searches if stem in unsearched else "")
                or (lacks(_item_of(stem), manifest) if manifest else "")
            )
    return {stem: reason for stem, reason in found.items() if reason}


def _asked(source: Mapping[str, Any]) -> dict[str, str]:
    return asked_of(source["items"], space=_space(source), own="train" in source)


def _item_of(stem: str) -> Item:
    return next(item for item in CATALOGUE.values() if stem in item.figures.values())


def _of_origin(source: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the manifest of a source that is a finished table, None of any other."""
    return read_manifest(Path(os.path.expandvars(source.get("origin", ""))).expanduser())


def told(item: Item, name: str, config: Mapping[str, Any]) -> list[str]:
    """Return what the notebook of `item` is told of the source `name`, as NAME=VALUE in JSON; "" is no source."""
    behind = f"_{name}" if item.behind else ""
    searches, source = config["searches"], config["sources"].get(name, {})
    known = {
        "table": f"{TABLES}/{name}",
        "trajectories": f"{TRAJECTORIES}/{name}",
        "searches": expand_searches(searches)["folder"],
        "settings": ",".join(item.settings) or searches["settings"],
        "dataset": ",".join(item.datasets) or searches["dataset"],
        "further": ",".join(f"{dataset}:{settings}" for dataset, settings in _further(searches)),
        "recipe": source.get("recipe"),
        "split": source.get("split"),
        "splits": f"train,{source.get('split')}",  # of accuracy against cost, as the paper pairs them
        **{number: source.get(number, config[number]) for number in ("runs", "runs_others")},
        "entry": f"results/leaderboard/my_search_{name}",
    }
    records = ["searches", "settings", "dataset"]
    needed = {
        "table": ["table"],
        "records": records,
        "further": ["further"],
        "own": [],
        "trajectories": ["trajectories"],
    }
    names = [each for need in item.needs for each in needed[need]] + list(item.given)
    stems = {parameter: f"{config['figures']}/{stem}{behind}" for parameter, stem in item.figures.items()}
    return [
        f"{key}={json.dumps(value)}"
        for key, value in ({each: known[each] for each in names} | item.parameters | stems).items()
    ]


def _lacking(searches: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return the settings that have no records, by the figures that need them; of further datasets with the dataset."""
    joined = searches["joined"]
    alone = [
        f"{settings} on {dataset}"
        for dataset, settings in _further(searches)
        if not any(_is_on(name, dataset) for name in joined.get(settings, []))
    ]
    return {
        stem: lacking
        for item in CATALOGUE.values()
        if (
            lacking := [settings for settings in item.settings if settings not in joined]
            + (alone if "further" in item.needs else [])
        )
        for stem in item.figures.values()
    }


def _is_on(joined: str, dataset: str) -> bool:
    """Return whether joined records, such as those of "tss-digit-pairs", are of searches on a dataset."""
    return joined.partition("-")[2] == dataset


def _further(searches: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the further datasets, and by which settings was searched on each."""
    return list(searches.get("further", {}).items())


def _space(source: Mapping[str, Any]) -> str:
    """Return the search space of a source: what it says, or that of its training; the topology space otherwise."""
    return _known_space(source.get("space", source.get("train", {}).get("space", "tss")))


def _known_space(name: str) -> str:
    if name not in SPACES:
        raise unknown_name("space", name, SPACES)
    return name


def expand_searches(searches: Mapping[str, Any]) -> dict[str, Any]:
    """Return `searches` as the Snakefile's rules use them.

    `folder`, which has one of each settings in it, `settings`, `dataset` and `further`: where the records of the
    figures are;
    `joined`: the names of all joined records that are or will be there, by settings ("tss-digits"). Of searches to be
    run, by settings: `runs`, the options of `natslib search` by name, and `finished`, their markers by joined records.
    Of searches that were run before, `origin`, there are none to be run.
    """
    runs: dict[str, dict[str, list[str]]] = {}
    finished: dict[str, dict[str, list[str]]] = {}
    for group in searches.get("run", []):
        settings, dataset = (group.get(key, searches[key]) for key in ("settings", "dataset"))
        joined = f"{group['space']}-{dataset}"
        for method, seed in product(group["methods"], group["seeds"]):
            name, options = _search(joined, method, seed, group.get("warm_up"))
            told = [f"--dataset={dataset}", f"--settings={settings}", f"--space={group['space']}"]
            runs.setdefault(settings, {})[name] = [*told, *options]
            markers = finished.setdefault(settings, {}).setdefault(joined, [])
            markers.append(f"{SEARCHED}/{settings}/{name}/finished")
    folder = searches.get("origin", SEARCHED)
    there = {settings: list(markers) for settings, markers in finished.items()}
    return {
        "folder": folder,
        "settings": searches["settings"],
        "dataset": searches["dataset"],
        "further": dict(_further(searches)),
        "joined": there if "run" in searches else _found(Path(folder)),
        "runs": runs,
        "finished": finished,
    }


def _search(joined: str, method: str, seed: int, warm_up: float | None) -> tuple[str, list[str]]:
    """Return the name of a search, and what `natslib search` is told of it besides dataset, settings and space."""
    name, options = f"{joined}-{method}-{seed}", [f"--algorithm={method}", f"--seed={seed}"]
    if warm_up is None:
        return name, options
    return f"{name}-warm-up-{warm_up}", [*options, f"--warm-up={warm_up}"]


def _found(folder: Path) -> dict[str, list[str]]:
    """Return the names of the joined records in a folder, by settings."""
    found: dict[str, list[str]] = {}
    for path in sorted(folder.glob("*/*-scores.parquet")):
        found.setdefault(path.parent.name, []).append(path.stem.removesuffix("-scores"))
    return found


def files_read(item: Item) -> list[str]:
    """Return the files that an item's `reads` names: of a pattern, those there are."""
    found = (sorted(map(str, Path().glob(name))) if "*" in name else [name] for name in item.reads)
    return [file for files in found for file in files]


def records_of(searches: Mapping[str, Any], item: Item) -> list[str]:
    """Return the files of the joined records that an item reads: those there are of its settings, of both spaces.

    `searches` is that of `expand_searches`. An item without settings of its own reads those of the configuration, and
    where it needs them, those of the further datasets.
    """
    read = [(searches["dataset"], settings) for settings in item.settings or [searches["settings"]]]
    return [
        f"{searches['folder']}/{settings}/{joined}{kind}.parquet"
        for dataset, settings in read + (_further(searches) if "further" in item.needs else [])
        for joined in searches["joined"].get(settings, [])
        if _is_on(joined, dataset)
        for kind in ("", "-scores")
    ]


def _given(name: str, source: Mapping[str, Any]) -> dict[str, Any]:
    origin = _expand_path(name, source["origin"])
    columns = [_expand_path(name, source["columns"])] if "columns" in source else []
    return {
        "origin": origin,
        "files": ([] if origin == "published" else [origin]) + columns,
        "options": [f"--columns={path}" for path in columns],
    }


def _trained(name: str, train: Mapping[str, Any]) -> dict[str, Any]:
    """Return the keys of a source that is trained in `shards` jobs; the others of its settings are options."""
    folder, shards, space = f"{TRAINING}/{name}", train["shards"], _known_space(train["space"])
    told = {key: _expand_path(name, str(value)) for key, value in train.items() if key != "shards"}
    return {
        "origin": f"{folder}/{space}",
        "files": [f"{folder}/shard-{shard}-of-{shards}.finished" for shard in range(shards)],
        "options": [],
        "folder": folder,
        "training": [f"--{key}={value}" for key, value in told.items()],
    }


def _expand_path(name: str, path: str) -> str:
    """Return a path spelt out, and never one that a command takes for an option.

    Raises `ConfigError` for a variable that is not set, and for braces, in which Snakemake sees a wildcard.
    """
    expanded = os.path.expandvars(path)
    unset = re.search(r"\$\{?(\w+)", expanded)
    if unset:
        raise ConfigError(
            f"source {name!r}: {path!r} needs the environment variable {unset[1]}, which is not set"
        )
    if "{" in expanded or "}" in expanded:
        raise ConfigError(
            f"source {name!r}: {path!r} holds braces, in which Snakemake sees a wildcard; rename it, or convert it "
            "with `natslib convert` and name the table instead"
        )
    spelt = str(Path(expanded).expanduser())
    return f"./{spelt}" if spelt.startswith("-") else spelt
