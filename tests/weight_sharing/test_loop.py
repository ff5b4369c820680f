import io
import json
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch

from natslib.errors import BadSource, ConfigError
from natslib.files import lock
from natslib.weight_sharing.data import SearchData, SelectionBatches
from natslib.weight_sharing.loop import CHECKPOINT, Run, run_search
from natslib.weight_sharing.methods.rsps import Rsps
from natslib.weight_sharing.presets import settings_of
from natslib.weight_sharing.settings import Settings

from .tiny import SCALE

SETTINGS = replace(
    settings_of("smoke", "darts-v1", "tss"), scale=SCALE, batch=8, valid_batch=6, epochs=3, scored=3
)


def search(data: SearchData, folder: Path, settings: Settings = SETTINGS, seed: int = 0) -> pd.DataFrame:
    return run_search("darts-v1", data, settings, seed, folder)


def test_a_search_that_is_killed_by_the_system_goes_on(tiny_data: SearchData, tmp_path: Path) -> None:
    long = replace(SETTINGS, epochs=15, cosine_epochs=15)
    whole = search(tiny_data, tmp_path / "whole", long)
    folder = tmp_path / "killed"
    process = multiprocessing.get_context("fork").Process(target=search, args=(tiny_data, folder, long))
    process.start()
    deadline = time.monotonic() + 60
    while not (folder / CHECKPOINT).exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    os.kill(process.pid, signal.SIGKILL)
    process.join()
    assert not (folder / "run.parquet").exists(), "the search was over before it was killed"
    resumed = search(tiny_data, folder, long)
    pd.testing.assert_frame_equal(whole.drop(columns="time_s"), resumed.drop(columns="time_s"))


def test_a_finished_search_is_read_and_not_run_again(
    tiny_data: SearchData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = search(tiny_data, tmp_path)
    monkeypatch.setattr(Run, "advance", None)
    pd.testing.assert_frame_equal(search(tiny_data, tmp_path), first)


def test_a_folder_of_another_search_is_refused(tiny_data: SearchData, tmp_path: Path) -> None:
    search(tiny_data, tmp_path)
    with pytest.raises(ConfigError, match=r"another search \(epochs is 3 there, 4 asked\)"):
        search(tiny_data, tmp_path, replace(SETTINGS, epochs=4))
    with pytest.raises(ConfigError, match="seed is 0 there, 1 asked"):
        search(tiny_data, tmp_path, seed=1)
    with pytest.raises(ConfigError, match="dataset is 'tiny' there, 'other' asked"):
        search(replace(tiny_data, name="other"), tmp_path)


def test_what_a_search_goes_on_from_is_read_to_the_cpu(
    tiny_data: SearchData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Adam's count of steps, read to a GPU, would stay there, and every step would wait for it."""
    run, read = Run("darts-v1", tiny_data, SETTINGS, 0), []
    for _ in range(2):
        run.advance()
    run.save(tmp_path / CHECKPOINT)
    load = torch.load

    def watched(path: Path, **options: object) -> dict[str, dict[str, dict]]:
        read.append(options)
        return load(path, **options)

    monkeypatch.setattr(torch, "load", watched)
    Run("darts-v1", tiny_data, SETTINGS, 0).restore(tmp_path / CHECKPOINT)
    assert read == [{"map_location": "cpu", "weights_only": True}]
    elsewhere = torch.optim.Adam([torch.zeros(6, 5, device="meta", requires_grad=True)])
    elsewhere.load_state_dict(load(tmp_path / CHECKPOINT, **read[0])["method"]["arch_optimizer"])
    (state,) = elsewhere.state.values()
    assert (state["step"].device.type, state["exp_avg"].device.type) == ("cpu", "meta")


def bytes_of(state: object) -> bytes:
    content = io.BytesIO()
    torch.save(state, content)
    return content.getvalue()


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"PK\3\4 half an archive",
        bytes_of([1]),
        bytes_of({}),
        bytes_of({"method": {}, "generator": 7, "rows": []}),
    ],
)
def test_a_damaged_checkpoint_is_named_with_the_way_out(
    tiny_data: SearchData, tmp_path: Path, content: bytes
) -> None:
    whole = search(tiny_data, tmp_path)
    (tmp_path / "run.parquet").unlink()
    (tmp_path / CHECKPOINT).write_bytes(content)
    with pytest.raises(BadSource, match=r"cannot go on from .*checkpoint\.pt .*remove it"):
        search(tiny_data, tmp_path)
    (tmp_path / CHECKPOINT).unlink()
    pd.testing.assert_frame_equal(
        search(tiny_data, tmp_path).drop(columns="time_s"), whole.drop(columns="time_s")
    )


def test_rows_of_another_shape_in_a_checkpoint_are_refused(tiny_data: SearchData, tmp_path: Path) -> None:
    run = Run("darts-v1", tiny_data, SETTINGS, 0)
    run.advance()
    for rows in ([], [{}], [7], [run.rows[0] | {"code": [9] * 6}], None):
        run.rows = rows
        run.save(tmp_path / CHECKPOINT)
        with pytest.raises(BadSource, match="cannot go on from"):
            Run("darts-v1", tiny_data, SETTINGS, 0).restore(tmp_path / CHECKPOINT)


@pytest.mark.parametrize("content", [b"", b"PAR1", None])
def test_damaged_records_are_named(tiny_data: SearchData, tmp_path: Path, content: bytes | None) -> None:
    search(tiny_data, tmp_path)
    (tmp_path / "run.parquet").write_bytes(
        pd.DataFrame({"x": [1]}).to_parquet() if content is None else content
    )
    with pytest.raises(BadSource, match=r"run\.parquet: no .*result of a search"):
        search(tiny_data, tmp_path)


def test_a_folder_with_searches_on_a_table_is_refused(tiny_data: SearchData, tmp_path: Path) -> None:
    (tmp_path / "runs-000000-000001.parquet").touch()
    (tmp_path / "search.json").write_text('{"algorithm": "rea"}')
    with pytest.raises(ConfigError, match="the runs of another search"):
        search(tiny_data, tmp_path)
    assert json.loads((tmp_path / "search.json").read_text()) == {"algorithm": "rea"}


def test_two_processes_do_not_share_a_folder(tiny_data: SearchData, tmp_path: Path) -> None:
    with lock(tmp_path / ".search.lock"), pytest.raises(ConfigError, match="is writing to"):
        search(tiny_data, tmp_path)


def test_the_first_row_is_the_untrained_start(tiny_data: SearchData, tmp_path: Path) -> None:
    records = search(tiny_data, tmp_path)
    first = Run("darts-v1", tiny_data, SETTINGS, 0)
    assert records["alphas"][0].tolist() == first.method.alphas.flatten().tolist()
    assert records["train_loss"].isna().tolist() == [True, False, False, False]
    assert records["alphas"][1].tolist() != records["alphas"][0].tolist()


def test_losses_are_means_over_the_images(tiny_data: SearchData, monkeypatch: pytest.MonkeyPatch) -> None:
    """20 images in batches of 8, 8 and 4: each step tells its number."""
    run = Run("darts-v1", tiny_data, SETTINGS, 0)
    sizes, numbers = [], iter(range(3))

    def step(train, valid):
        sizes.append(len(train.labels))
        return torch.tensor([float(next(numbers)), 0.0, torch.nan, 1.0]).unbind()

    run.advance()
    monkeypatch.setattr(run.method, "step", step)
    run.advance()
    assert sizes == [8, 8, 4]
    assert run.rows[1]["train_loss"] == pytest.approx((0 * 8 + 1 * 8 + 2 * 4) / 20)
    assert run.rows[1]["valid_accuracy"] == pytest.approx(1.0)


def test_the_learning_rate_is_set_an_epoch_at_a_time(tiny_data: SearchData) -> None:
    run = Run("rsps", tiny_data, replace(SETTINGS, epochs=3, cosine_epochs=3), 0)
    rates = []
    for _ in range(4):
        run.advance()
        rates.append(run.method.weight_optimizer.param_groups[0]["lr"])
    assert rates == pytest.approx([0.1, 0.1, 0.001 + 0.099 * 0.75, 0.001 + 0.099 * 0.25])


def test_a_loss_that_is_not_a_number_ends_the_search(
    tiny_data: SearchData, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train_epoch = Run._train_epoch

    def spoiled(run: Run):
        if len(run.rows) == 2:
            with torch.no_grad():
                run.method.network.classifier.weight.fill_(torch.nan)
        return train_epoch(run)

    monkeypatch.setattr(Run, "_train_epoch", spoiled)
    records = search(tiny_data, tmp_path)
    assert records["diverged"].tolist() == [False, False, True]
    assert records["arch"][2] == records["arch"][1]
    assert search(tiny_data, tmp_path)["diverged"].tolist() == [False, False, True]


def test_what_was_asked_is_beside_the_records(tiny_data: SearchData, tmp_path: Path) -> None:
    search(tiny_data, tmp_path, seed=5)
    said = json.loads((tmp_path / "search.json").read_text())
    assert said["method"] == "darts-v1"
    assert said["seed"] == 5
    assert said["images"] == {"train": 20, "valid": 12}
    assert said["arch_learning_rate"] == SETTINGS.arch_learning_rate


def test_the_weights_do_not_depend_on_the_method(tiny_data: SearchData) -> None:
    one, other = (Run(name, tiny_data, SETTINGS, 7).method.network for name in ("rsps", "darts-v1"))
    for mine, yours in zip(one.parameters(), other.parameters(), strict=True):
        assert torch.equal(mine, yours)
    assert isinstance(Run("rsps", tiny_data, SETTINGS, 7).method, Rsps)


@pytest.mark.parametrize(
    ("preset", "name", "last", "augmented"),
    [
        ("nats-bench", "rsps", False, False),
        ("nats-bench", "darts-pt", True, True),
        ("nas-bench-201", "gdas", True, False),
        ("nas-bench-201-bn0", "enas", True, True),
        ("digits", "darts-pt", False, False),
    ],
)
def test_the_last_norm_and_the_selection_batches_are_those_of_the_settings(
    tiny_data: SearchData,
    preset: str,
    name: str,
    last: bool,
    augmented: bool,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run = Run(name, tiny_data, replace(settings_of(preset, name, "tss"), scale=SCALE), 0)
    norm = run.method.network.last[0]
    assert (norm.affine, norm.running_mean is not None) == (last, last)
    given: list[SelectionBatches] = []

    def choose(batches: SelectionBatches) -> tuple[int, ...]:
        given.append(batches)
        return (1, 1, 1, 1, 1, 1)

    monkeypatch.setattr(run.method, "choose", choose)
    run.advance()
    passes = [torch.cat([batch.images for batch in given[0].whole()]) for _ in range(2)]
    assert torch.equal(*passes) != augmented
