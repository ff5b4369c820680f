"""The tables of the protocol say what the recipes and image sets do."""

from pathlib import Path

import pandas as pd

from natslib.datasets import DATASETS, EMBEDDED
from natslib.training.recipes import (
    RECIPES,
    SMALL_RECIPES,
    dataset_table,
    hyperparameter_table,
    recipe_table,
)
from natslib.training.sources import load_images


def test_every_recipe_has_a_row_with_the_published_names_and_rates() -> None:
    table = recipe_table()
    assert len(table) == len(RECIPES) + len(SMALL_RECIPES)
    paper = table[table["origin"] == "paper"].set_index("recipe")
    assert paper["name"].to_dict() == {"01": "", "12": "H0", "90": "H2", "200": "H1"}
    assert paper["epochs"].to_dict() == {"01": 1, "12": 12, "90": 90, "200": 200}
    published = {"01": 0.1, "12": 0.00170371, "90": 3.04586e-05, "200": 6.16838e-06}
    pd.testing.assert_series_equal(
        paper["last learning rate"],
        pd.Series(published),
        check_names=False,
        check_index_type=False,
        rtol=1e-5,
    )
    assert set(paper["batch"]) == {256}
    assert paper["channels"].dropna().to_dict() == {"12": 16, "200": 16}
    assert set(paper.index[paper["size widths"] == "as named"]) == {"01", "12", "90"}
    small = table[table["origin"] != "paper"].set_index("recipe")
    assert small.loc["12", ["batch", "channels", "cells", "size widths"]].tolist() == [128, 8, 1, "÷ 4"]


def test_every_dataset_has_a_row_and_missing_splits_are_missing() -> None:
    table = dataset_table().set_index("name in tables")
    assert table.index.tolist() == list(DATASETS)
    assert table.loc["cifar10-valid", ["training", "validation", "test"]].tolist() == [25_000, 25_000, 10_000]
    assert pd.isna(table.loc["cifar10", "validation"])
    assert table.loc["cifar100", "validation + test"] == 10_000


def test_shift_and_mirroring_are_those_of_the_image_sets() -> None:
    table = dataset_table().set_index("name in tables")
    for name in EMBEDDED:
        images = load_images(name, Path(), verify=True)
        told = table.loc[name, ["shifted by (pixels)", "mirrored"]].tolist()
        assert told == [images.shift, "half of them" if images.flip else "no"]
    paper = table[table["origin"] == "paper"]
    assert paper["shifted by (pixels)"].tolist() == [4, 4, 4, 2]
    assert set(paper["mirrored"]) == {"half of them"}


def test_the_hyperparameters_of_nas_bench_201_are_those_that_are_trained_by() -> None:
    columns = {"whole": RECIPES["200"], "short": RECIPES["12"]}
    table = hyperparameter_table(columns, DATASETS["ImageNet16-120"]).set_index("hyper-parameter")
    assert table.loc["epochs"].tolist() == ["200", "12"]
    assert table.loc["learning rate", "whole"] == "0.1, in the last epoch 6.2e-06"
    assert table.loc["batch", "whole"] == "256 images"
    assert table.loc["cropped", "whole"] == "16×16, padded by 2"
    assert table.loc["cells a stage"].tolist() == ["5", "5"]
