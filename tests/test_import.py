"""The query side must not need what only training, notebooks or the workflow need."""

import subprocess
import sys

import pytest

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


def test_a_query_works_without_the_extras():
    code = """
import natslib
table = natslib.load("published")
print(round(table.value(6111, "accuracy", dataset="cifar10-valid", recipe="200", split="valid"), 3))
"""
    result = run_without_extras(code)
    assert result.returncode == 0, result.stderr
    assert result.stdout.strip() == "91.607"
