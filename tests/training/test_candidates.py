"""Candidates trained at once give what each gives alone; a group too large for the device is halved."""

import weakref
from dataclasses import replace

import numpy as np
import pytest
import torch

from natslib.errors import ConfigError
from natslib.nets import build_network
from natslib.nets.grouped import FusedNetwork
from natslib.spaces import SMALL_SCALE, get_space
from natslib.training import candidates
from natslib.training.candidates import Manner, groups, train_group, train_many
from natslib.training.images import ImageSet
from natslib.training.jobs import Job, jobs_for
from natslib.training.recipes import Recipe

#: all none, all skip, all 1x1, all pool, and cells that mix operations
ARCHS = [1651, 1835, 4317, 7581, 0, 11, 284, 9930]


def networks() -> list[torch.nn.Module]:
    torch.manual_seed(0)
    return [
        build_network("tss", arch, in_channels=3, classes=7, scale=replace(SMALL_SCALE, cells=2))
        for arch in ARCHS
    ]


@pytest.mark.parametrize("training", [True, False])
def test_fused_networks_answer_as_each_alone(training: bool) -> None:
    nets, images = networks(), torch.randn(6, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    fused = FusedNetwork(nets).train(training)(images)
    assert fused.shape == (6, len(ARCHS), 7)
    for k, net in enumerate(nets):
        torch.testing.assert_close(fused[:, k], net.train(training)(images), rtol=1e-4, atol=1e-4)


def test_training_at_once_equals_training_alone(tiny_images: ImageSet, tiny_recipe: Recipe) -> None:
    jobs = jobs_for("tss", np.array(ARCHS), "tiny", "3", (777,))
    together = train_group(jobs, tiny_images, tiny_recipe, {})
    for job, entry in zip(jobs, together, strict=True):
        (alone,) = train_group([job], tiny_images, tiny_recipe, {})
        assert entry["stamp"] == {"group": len(ARCHS)}
        for name in ("arch_index", "params_m", "flops_m", "seed"):
            assert entry[name] == alone[name]
        for split, columns in alone["splits"].items():
            np.testing.assert_allclose(entry["splits"][split]["loss"], columns["loss"], rtol=2e-3)
            np.testing.assert_allclose(entry["splits"][split]["accuracy"], columns["accuracy"], atol=3.4)


def test_a_candidate_that_diverges_leaves_the_others_alone(
    tiny_images: ImageSet, tiny_recipe: Recipe
) -> None:
    nets = networks()
    with torch.no_grad():
        nets[1].classifier.weight.fill_(float("nan"))
    curves = train_many(nets, tiny_images, tiny_recipe, 777)
    finite = [np.isfinite(curve["test"].loss).all() for curve in curves]
    assert finite == [True, False, True, True, True, True, True, True]


def test_groups_share_what_they_must_and_keep_the_order() -> None:
    jobs = [
        *jobs_for("tss", np.arange(5), "digits", "12", (1, 2)),
        *jobs_for("sss", np.arange(3), "digits", "12", (1,)),
    ]
    found = list(groups(jobs, 3))
    assert [job for some in found for job in some] == jobs
    assert [len(some) for some in found] == [3, 2, 3, 2, 1, 1, 1]
    assert all(len({(job.space, job.recipe, job.seed) for job in some}) == 1 for some in found)


@pytest.mark.parametrize("size", [0, -1])
def test_groups_of_no_candidate_are_refused(size: int) -> None:
    with pytest.raises(ConfigError, match=f"groups of {size} candidates: allowed are 1 and more"):
        list(groups(jobs_for("tss", np.arange(2), "digits", "12", (1,)), size))


def test_a_group_that_does_not_fit_is_halved_and_says_so(
    tiny_images: ImageSet, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    fits = train_many

    def small_device(nets: list[torch.nn.Module], *rest: object) -> object:
        if len(nets) > 2:
            raise torch.cuda.OutOfMemoryError("out of memory")
        return fits(nets, *rest)

    monkeypatch.setattr(candidates, "train_many", small_device)
    jobs = [Job("tss", arch, "tiny", "3", 777) for arch in ARCHS[:5]]
    with pytest.warns(UserWarning, match="candidates at once need more memory than there is") as warned:
        entries = train_group(jobs, tiny_images, tiny_recipe, {})
    assert [entry["arch_index"] for entry in entries] == ARCHS[:5]
    assert [str(one.message)[-15:] for one in warned] == ["going on with 2"]


#: As torch and what lies below it put it, on several releases and cards.
MESSAGES = [
    "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.11 GiB",
    "CUDA error: out of memory\nCUDA kernel errors might be asynchronously reported",
    "cuDNN error: CUDNN_STATUS_ALLOC_FAILED",
    "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`",
    "Unable to find a valid cuDNN algorithm to run convolution",
    "GET was unable to find an engine to execute this computation",
    "[enforce fail at alloc_cpu.cpp:114] data. DefaultCPUAllocator: can't allocate memory: tried to allocate 8 bytes",
]


@pytest.mark.parametrize("message", MESSAGES)
def test_memory_that_the_libraries_lack_is_recognised_and_the_size_remembered(
    tiny_images: ImageSet, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch, message: str
) -> None:
    tried: list[int] = []

    def small_device(jobs: list[Job], *_: object) -> list[dict[str, object]]:
        tried.append(len(jobs))
        if len(jobs) > 2:
            raise RuntimeError(message)
        return [{"arch_index": job.arch_index} for job in jobs]

    monkeypatch.setattr(candidates, "_train_together", small_device)
    jobs, manner = [Job("tss", arch, "tiny", "3", 777) for arch in ARCHS], Manner()
    with pytest.warns(UserWarning, match="candidates at once need more memory") as warned:
        entries = train_group(jobs, tiny_images, tiny_recipe, {}, manner)
    assert len(warned) == 2
    assert entries == train_group(jobs, tiny_images, tiny_recipe, {}, manner)
    assert [entry["arch_index"] for entry in entries] == ARCHS
    assert tried == [8, 4, 2, 2, 2, 2, 2, 2, 2, 2]
    assert manner.largest == {("tiny", "3"): 2}
    tried.clear()
    other = replace(tiny_images, name="other")
    with pytest.warns(UserWarning, match="going on with"):
        train_group(jobs, other, tiny_recipe, {}, manner)
    assert tried[0] == 8


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("CUDA error: an illegal memory access was encountered"),
        RuntimeError("cuDNN error: CUDNN_STATUS_EXECUTION_FAILED"),
        ValueError("out of memory"),
    ],
)
def test_other_failures_are_not_taken_for_it(
    tiny_images: ImageSet, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    def broken(*_: object) -> object:
        raise error

    monkeypatch.setattr(candidates, "_train_together", broken)
    with pytest.raises(type(error), match=str(error)):
        train_group([Job("tss", arch, "tiny", "3", 777) for arch in ARCHS], tiny_images, tiny_recipe, {})


def test_a_failed_group_is_gone_before_its_halves_are_tried(
    tiny_images: ImageSet, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    left: list[weakref.ref[torch.Tensor]] = []

    def device_full_of_the_last_group(nets: list[torch.nn.Module], *_: object) -> object:
        assert not any(tensor() is not None for tensor in left)
        tensor = torch.zeros(len(nets))
        left.append(weakref.ref(tensor))
        raise torch.cuda.OutOfMemoryError(f"{len(tensor)} candidates do not fit")

    monkeypatch.setattr(candidates, "train_many", device_full_of_the_last_group)
    monkeypatch.setattr(candidates, "train_candidate", lambda job, *_: {"arch_index": job.arch_index})
    jobs = [Job("tss", arch, "tiny", "3", 777) for arch in ARCHS[:4]]
    with pytest.warns(UserWarning, match="candidates at once need more memory"):
        assert len(train_group(jobs, tiny_images, tiny_recipe, {})) == 4
    assert len(left) == 2


def test_one_candidate_that_does_not_fit_is_refused_by_name(
    tiny_images: ImageSet, tiny_recipe: Recipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> object:
        raise torch.cuda.OutOfMemoryError("out of memory")

    monkeypatch.setattr(candidates, "train_candidate", full)
    with pytest.raises(ConfigError, match=r"arch_index=5,.*a batch of 16 tiny images needs more memory"):
        train_group([Job("tss", 5, "tiny", "3", 777)], tiny_images, tiny_recipe, {})


def test_the_published_scale_fuses_too() -> None:
    codes = [get_space("tss").code(arch) for arch in (5, 6)]
    nets = [
        build_network("tss", code, in_channels=3, classes=10, scale=replace(SMALL_SCALE, cells=5))
        for code in codes
    ]
    assert FusedNetwork(nets)(torch.zeros(2, 3, 16, 16)).shape == (2, 2, 10)
