"""The query side must not need what only training, notebooks or the workflow need."""

import subprocess
import sys

import pytest

from natslib.commands import VERBS

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

BLOCKER = f"""
import sys

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {BLOCKED!r}:
            raise ModuleNotFoundError(f"{{name}} is blocked in this test", name=name)

sys.meta_path.insert(0, Blocker())
"""


def run_without_extras(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BLOCKER + code], capture_output=True, text=True, check=False)


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


def test_what_trains_says_which_extra_it_needs():
    result = run_without_extras("from natslib.commands import main; sys.exit(main(['train', '--help']))")
    assert result.returncode == 1
    assert (
        result.stderr
        == "natslib train: `natslib train` needs the package torch; pip install 'natslib[train]'\n"
    )


def test_a_query_works_without_the_extras():
    code = """
import natslib
table = natslib.load("published")
print(round(table.value("accuracy", 6111, dataset="cifar10-valid", recipe="200", split="valid"), 3))
"""
    result = run_without_extras(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "91.607"
