"""The metadata of tables, read by MLCommons' own library."""

import itertools
import json
import logging
from pathlib import Path

import mlcroissant
import numpy as np
import pyarrow.parquet as pq
import pytest

from natslib.tables import Table
from natslib.tables.format.croissant import CROISSANT_FILE, describe, write_croissant

LOGS = Path(__file__).resolve().parents[2] / "logs"
SHIPPED = sorted(path.parent for path in LOGS.glob("*/manifest.json"))


# The library behind it calls what its own dependency will drop.
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@pytest.fixture(autouse=True)
def quiet(caplog):
    """It warns of what is recommended and not known: a date and a licence."""
    caplog.set_level(logging.ERROR, logger="absl")


def described(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    return describe(manifest, pq.read_schema(folder / "finals.parquet"))


@pytest.mark.parametrize("folder", SHIPPED, ids=lambda folder: folder.name)
def test_a_shipped_table_is_what_its_metadata_say(folder):
    told = json.loads((folder / CROISSANT_FILE).read_text())
    assert told == described(folder)
    read = mlcroissant.Dataset(str(folder / CROISSANT_FILE))
    assert not read.metadata.ctx.issues.errors
    rows = list(itertools.islice(read.records("finals"), 20))
    stored = Table.open(folder).frame().head(20)
    assert [row["finals/dataset"].decode() for row in rows] == stored["dataset"].tolist()
    found = np.array([row["finals/accuracy"] for row in rows], float)
    np.testing.assert_array_equal(found, stored["accuracy"].to_numpy())


def test_a_column_that_is_not_there_is_noticed(tmp_path):
    folder = SHIPPED[0]
    (tmp_path / "finals.parquet").symlink_to(folder / "finals.parquet")
    told = described(folder)
    told["distribution"] = [file for file in told["distribution"] if file["@id"] == "finals.parquet"]
    told["recordSet"][0]["field"][0]["source"]["extract"]["column"] = "data set"
    (tmp_path / CROISSANT_FILE).write_text(json.dumps(told))
    with pytest.raises(Exception, match=r"Read\(finals.parquet\)"):
        next(iter(mlcroissant.Dataset(str(tmp_path / CROISSANT_FILE)).records("finals")))


def test_written_again_it_is_the_same_bytes(tmp_path):
    folder = SHIPPED[0]
    manifest = json.loads((folder / "manifest.json").read_text())
    write_croissant(tmp_path, manifest, pq.read_schema(folder / "finals.parquet"))
    assert (tmp_path / CROISSANT_FILE).read_bytes() == (folder / CROISSANT_FILE).read_bytes()
