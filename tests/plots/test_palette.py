"""One name, one colour."""

from natslib.plots.palette import ALGORITHM_COLOURS, CYCLE, DATASET_COLOURS, OPERATION_COLOURS, colours


def test_known_names_keep_their_colour_in_any_company():
    assert (
        colours(["x", "CIFAR-10"])["CIFAR-10"]
        == colours(["CIFAR-10"])["CIFAR-10"]
        == DATASET_COLOURS["CIFAR-10"]
    )


def test_unknown_names_take_what_is_free():
    chosen = colours(["CIFAR-10", "digits", "photos", "digits"])
    assert list(chosen) == ["CIFAR-10", "digits", "photos"]
    assert len(set(chosen.values())) == 3
    assert set(chosen.values()) <= set(CYCLE)


def test_more_names_than_colours_repeat():
    assert len(colours(map(str, range(20)))) == 20


def test_names_drawn_together_differ():
    multi_trial = [ALGORITHM_COLOURS[name] for name in ("random", "rea", "reinforce", "bohb")]
    sharing = [ALGORITHM_COLOURS[n] for n in ("rsps", "darts-v1", "darts-v2", "gdas", "setn", "enas")]
    sizes = [ALGORITHM_COLOURS[name] for name in ("tas", "fbnetv2", "tunas")]
    for together in (multi_trial, sharing, sizes, DATASET_COLOURS.values(), OPERATION_COLOURS.values()):
        assert len(set(together)) == len(together)
