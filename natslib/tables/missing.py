"""What is said where a table has no answer: what it holds there, where the nearest answers are, and the way out."""

from typing import TYPE_CHECKING

from natslib.datasets import PAPER
from natslib.tables.format.costs import COSTS
from natslib.tables.format.schema import MEAN_ONLY, Block

if TYPE_CHECKING:
    from natslib.tables.reader import Question, Reader

NO_CURVES = (
    "this source has no curves: it holds the last epoch only, which is epoch None; curves have official archives and "
    "own training, such as logs/embedded-tss on digits"
)
_Place = tuple[str, str, str]


def instead(reader: "Reader", asked: "Question", index: int | None = None) -> str:
    """Return what there is instead of what was asked for; `index` is given where other architectures have it."""
    there = reader.blocks(asked.dataset, asked.recipe, asked.split)
    of_seed = [block for block in there if asked.seed in ("mean", block.seed)]
    held = [block for block in of_seed if reader.has(block, asked.metric)]
    parts: list[str] = []
    if index is not None:
        parts = [f"it is there for other architectures, not for {index}{_other_seeds(reader, asked, there)}"]
    elif held and asked.epoch is not None:
        curves = reader.curves(asked.dataset, asked.recipe, asked.split)
        parts = [NO_CURVES if curves == "none" else f"its curves: {curves}"]
    elif there and not of_seed:
        parts = [f"its seeds: {_seeds(there)}"]
    elif there:
        parts = [
            f"there is: {', '.join(reader.held(*_place(asked))) or 'nothing'}",
            _nearest(reader, asked),
        ]
    else:
        parts = [_other_split(reader, asked), _nearest(reader, asked)]
    if asked.metric in COSTS and asked.dataset in PAPER:
        form = f"space.{asked.metric}(table.space.code(arch), {asked.dataset!r})"
        parts.append(f"{asked.metric} of every architecture in closed form: table.{form}")
    return "; ".join(part for part in parts if part)


def _place(asked: "Question") -> _Place:
    return asked.dataset, asked.recipe, asked.split


def _nearest(reader: "Reader", asked: "Question") -> str:
    """Name the blocks elsewhere that hold the metric, those that share most with the question."""
    held: dict[_Place, list[Block]] = {}
    for row in reader.runs().itertuples(index=False):
        place = (str(row.dataset), str(row.recipe), str(row.split))
        if place not in held and place != _place(asked):
            held[place] = [block for block in reader.blocks(*place) if reader.has(block, asked.metric)]
    places = [place for place, blocks in held.items() if blocks]
    if not places:
        return f"no {asked.metric} stands anywhere else in this table"
    for at, name in enumerate(_place(asked)):
        places = [place for place in places if place[at] == name] or places
    listed = [f"{d} recipe {r!r} {s!r} (seeds {_seeds(held[d, r, s])})" for d, r, s in places]
    return f"nearest in this table: {'; '.join(listed)}"


def _other_split(reader: "Reader", asked: "Question") -> str:
    """Say what has results on a split of the paper that the table lacks altogether."""
    if asked.dataset not in PAPER or not asked.split or asked.split in set(reader.runs()["split"]):
        return ""
    return f"this table has nothing of split {asked.split!r}, the official archives have (`natslib fetch`)"


def _other_seeds(reader: "Reader", asked: "Question", there: list[Block]) -> str:
    seeds = [block for block in there if reader.has(block, asked.metric) and block.seed != asked.seed]
    return f"; other seeds: {_seeds(seeds)}" if seeds and asked.seed != "mean" else ""


def _seeds(blocks: list[Block]) -> str:
    return ", ".join("mean" if block.seed == MEAN_ONLY else str(block.seed) for block in blocks)
