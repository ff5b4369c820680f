"""The query side must not need what only training, notebooks or the workflow need."""

import re
import subprocess
import sys
import tomllib

import pytest

from natslib.commands import VERBS
from natslib.extras import EXTRAS
from tests.conftest import ROOT

BLOCKED = (
    "torch",
    "sklearn",
    "papermill",
    "snakemake",
    "nbclient",
    "IPython",
    "matplotlib",
    "seaborn",
    "scipy",
    "tqdm",
    "yaml",
)

BLOCKER = """
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in BLOCKED:
            raise ModuleNotFoundError(f"{name} is blocked in this test", name=name)

sys.meta_path.insert(0, Blocker())
"""
SLOW = ("torch", "sklearn", "papermill", "snakemake", "matplotlib")  # to import


def run_without_extras(code: str, blocked: tuple[str, ...] = BLOCKED) -> subprocess.CompletedProcess[str]:
    whole = f"BLOCKED = {blocked!r}\n{BLOCKER}{code}"
    return subprocess.run([sys.executable, "-c", whole], capture_output=True, text=True, check=False)


@pytest.mark.parametrize("module", BLOCKED)
def test_the_blocker_blocks(module):
    result = run_without_extras(f"import {module}")
    assert f"{module} is blocked in this test" in result.stderr


def test_natslib_imports_without_the_extras():
    result = run_without_extras("import natslib; print(natslib.__version__)")
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip()


@pytest.mark.parametrize("module", ["nats_bench", "nas_201_api"])
def test_importing_a_drop_in_imports_nothing_large(module):
    code = f"""
import natslib.{module}
large = ("numpy", "pandas", "pyarrow", "filelock", "multiprocessing")
print([name for name in sys.modules if name.partition(".")[0] in large])
"""
    result = run_without_extras(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "[]"


def test_a_drop_in_answers_without_the_extras():
    code = """
from natslib.nats_bench import create
api = create("published", "tss", verbose=False)
print(round(api.get_more_info(6111, "cifar10-valid", hp="200", is_random=False)["valid-accuracy"], 3))
"""
    result = run_without_extras(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "91.607"


def test_help_lists_every_verb_without_importing_one():
    code = """
from natslib.commands import VERBS, main
try:
    main(["--help"])
except SystemExit:
    print([name for name in sys.modules if name.partition(".")[0] in ("numpy", "pandas", "pyarrow")])
"""
    result = run_without_extras(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.splitlines()[-1] == "[]"
    assert all(f"\n    {verb} " in result.stdout for verb in VERBS)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("info published", "tss (topology), 15,625 architectures"),
        (
            "query published --arch 6111 --dataset cifar10-valid --recipe 200 --split valid --through-class",
            "91.60",
        ),
        ("search --help", "--algorithm NAME"),
        ("search --algorithm random --dataset cifar10 --runs 2 --seed 0 --out {out}", "2 runs"),
    ],
    ids=["info", "query", "search --help", "search"],
)
def test_asking_from_the_command_line_needs_no_extra(arguments, words, tmp_path):
    asked = arguments.format(out=tmp_path / "out").split()
    result = run_without_extras(f"from natslib.commands import main; sys.exit(main({asked!r}))")
    assert result.returncode == 0, result.stderr
    assert words in result.stdout


REFUSED = {  # what is asked in vain, and the beginning of the answer
    "train --space tss --arch 5 --dataset pets --recipe 12 --out x": "unknown dataset 'pets'",
    "train --space tss --arch 5 --dataset pets.npz --recipe 12 --scale small --out x": "unknown dataset 'pets.npz'",
    "train --space tss --arch 99999 --dataset digits --recipe 12 --out x": "'99999' in '99999': allowed are",
    "train --space tss --arch 5 --dataset digits --recipe 13 --out x": "unknown recipe '13'",
    "train --space tss --arch 5 --dataset digits --recipe 12-irn --out x": "unknown objective 'irn'",
    "train --space tss --arch 5 --dataset digits --recipe 12 --shard 2 --out x": "cannot read the shard",
    "train --space tss --out x": "missing --arch, --dataset, --recipe",
    "search --algorithm gdas --dataset digits --seed 0": "--algorithm gdas needs --settings, one of",
    "search --algorithm gdas --dataset digits --settings tiny --seed 0": "unknown settings 'tiny'",
    "search --algorithm gdas --dataset pets --settings digits --seed 0": "unknown dataset 'pets'",
    "search --algorithm gdas --dataset digits --settings digits --seed 0 --runs 3": "--algorithm gdas trains a super",
    "search --algorithm rea --train --dataset digits --seed 0": "--train needs --space",
    "search --algorithm rea --train --space tss --dataset pets --budget 1s --seed 0": "unknown dataset 'pets'",
    "search --algorithm foo --dataset cifar10 --seed 0": "unknown algorithm 'foo'",
    "retrain published --arch 5 --dataset digits --recipe 12": "no accuracy for dataset 'digits'",
    "retrain published --arch x --dataset cifar100 --recipe 200": "unknown topology architecture 'x'",
    "objectives --dataset digits-rotated --objective irn --out x": "unknown objective 'irn'",
    "objectives --dataset pets --out x": "unknown dataset 'pets'",
    "objectives --dataset digits-rotated --seed x --out x": "cannot read 'x'",
    "export nowhere x": "nowhere: no folder of own logs",
    "export nowhere x --classes pets": "--classes 'pets' was given",
    "shift pets": "'pets' alone has no two sides",
}


def test_wrong_input_is_refused_before_torch_is_imported():
    code = f"""
from natslib.commands import main
for asked in {list(REFUSED)!r}:
    assert main(asked.split()) == 1, asked
"""
    result = run_without_extras(code, SLOW)
    assert result.returncode == 0, result.stderr
    for asked, said in zip(REFUSED, result.stderr.splitlines(), strict=True):
        assert said.startswith(f"natslib {asked.split()[0]}: {REFUSED[asked]}"), (asked, said)


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_every_verb_needs_no_torch(verb):
    code = f"from natslib.commands import main; main([{verb!r}, '--help'])"
    result = run_without_extras(code, SLOW)
    assert result.returncode == 0, result.stderr
    assert f"usage: natslib {verb}" in result.stdout


def test_what_trains_says_which_extra_it_needs(tmp_path):
    asked = f"train --space tss --arch 5 --dataset digits --recipe 12 --out {tmp_path}".split()
    result = run_without_extras(f"from natslib.commands import main; sys.exit(main({asked!r}))")
    assert result.returncode == 1
    assert result.stderr == "natslib train: the package torch is missing; pip install 'natslib[train]'\n"


def test_figures_say_which_extra_they_need():
    result = run_without_extras("import natslib.plots")
    assert result.stderr.rstrip().endswith(" is missing; pip install 'natslib[notebooks]'")


def test_the_extras_are_those_of_the_project():
    """Each hint names an extra that there is, and which brings the package that is missing."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    names = {"sklearn": "scikit-learn", "PIL": "pillow", "IPython": "ipykernel", "torchvision": "torch"}
    for package, extra in EXTRAS.items():
        wanted = names.get(package, package)
        assert any(re.match(rf"{wanted}\b", need) for need in extras[extra]), (package, extra)


def test_a_query_works_without_the_extras():
    code = """
import natslib
table = natslib.load("published")
print(round(table.value("accuracy", 6111, dataset="cifar10-valid", recipe="200", split="valid"), 3))
"""
    result = run_without_extras(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "91.607"
