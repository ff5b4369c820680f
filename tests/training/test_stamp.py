"""The stamp names the commit of natslib's own checkout, and of a GPU all that its results depend on."""

import json
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import torch

import natslib
from natslib.errors import ConfigError
from natslib.training import device as device_module
from natslib.training.device import commit, environment_stamp, ready_devices


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize(("package", "own"), [("natslib", True), (".venv/lib/natslib", False)])
def test_the_commit_is_that_of_natslibs_own_checkout(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, package: str, own: bool
) -> None:
    def git(*words: str) -> str:
        named = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(
            ["git", *named, *words], cwd=tmp_path, check=True, capture_output=True, text=True
        ).stdout

    git("init")
    git("commit", "--allow-empty", "--no-gpg-sign", "-m", "first")
    (tmp_path / package).mkdir(parents=True)
    monkeypatch.setattr(natslib, "__file__", str(tmp_path / package / "__init__.py"))
    assert commit() == (git("rev-parse", "--short=12", "HEAD").strip() if own else None)


def test_outside_a_checkout_there_is_no_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(natslib, "__file__", str(tmp_path / "__init__.py"))
    assert commit() is None


@pytest.fixture
def gpus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> list[tuple[int, int]]:
    """A machine with GPUs of these compute capabilities, as far as torch and the system tell of it."""
    found = [(9, 0), (9, 0)]
    version = (
        "NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  570.86.15  Release Build  (a@b)\nGCC 12.2\n"
    )
    (tmp_path / "version").write_text(version)
    monkeypatch.setattr(device_module, "DRIVER", tmp_path / "version")
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(found))
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: f"GPU {device.index}")
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: found[device.index or 0])
    monkeypatch.setattr(torch.version, "cuda", "12.8")
    return found


@pytest.fixture
def rounding() -> Iterator[Callable[..., None]]:
    """Let torch round to TF32 or not, for convolutions and for products; as it was afterwards."""

    def allow(*, convolutions: bool, products: bool) -> None:
        torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32 = convolutions, products

    before = torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
    yield allow
    allow(convolutions=before[0], products=before[1])


def test_a_gpu_is_stamped_with_all_that_its_results_depend_on(
    gpus: list[tuple[int, int]], rounding: Callable[..., None]
) -> None:
    rounding(convolutions=True, products=False)
    stamp = environment_stamp(torch.device("cuda", 1), {"scale": "paper"})
    told = ("device", "cuda", "driver", "clock", "precision", "scale")
    assert [stamp[name] for name in told] == ["GPU 1", "12.8", "570.86.15", "wall", "tf32", "paper"]
    assert stamp["tf32"] == {"convolutions": True, "products": False}
    assert {"cudnn", "deterministic", "benchmark"} <= set(stamp)
    json.dumps(stamp)


@pytest.mark.parametrize(
    ("capability", "convolutions", "products", "found"),
    [
        ((9, 0), False, False, "float32"),
        ((9, 0), False, True, "tf32"),
        ((8, 0), True, False, "tf32"),
        ((7, 5), True, True, "float32"),
    ],
)
def test_the_precision_is_what_the_card_and_torch_make_of_it(
    gpus: list[tuple[int, int]],
    rounding: Callable[..., None],
    capability: tuple[int, int],
    convolutions: bool,
    products: bool,
    found: str,
) -> None:
    gpus[0] = capability
    rounding(convolutions=convolutions, products=products)
    assert environment_stamp(torch.device("cuda", 0))["precision"] == found


def test_a_cpu_is_stamped_with_its_precision_and_nothing_of_a_gpu() -> None:
    stamp = environment_stamp(torch.device("cpu"))
    assert stamp["precision"] == "float32"
    assert not {"cuda", "cudnn", "driver", "tf32"} & set(stamp)


def test_all_gpus_of_a_machine_are_found_where_they_are_alike(gpus: list[tuple[int, int]]) -> None:
    assert ready_devices("cuda:all") == [torch.device("cuda", 0), torch.device("cuda", 1)]
    gpus[1] = (7, 0)
    with pytest.raises(ConfigError, match=r"different precisions .*'cuda:0': 'tf32', 'cuda:1': 'float32'"):
        ready_devices("cuda:all")
    gpus.clear()
    with pytest.raises(ConfigError, match="cannot compute on cuda:all: torch finds no GPU; allowed is cpu"):
        ready_devices("cuda:all")
