import json
from pathlib import Path

import pytest

from natslib.workflow.catalogue import CATALOGUE
from natslib.workflow.imports import imported_sources


@pytest.fixture
def project(tmp_path):
    """A package in which `plots.heat` imports `tools`, and nothing imports `unused`."""
    files = {
        "natslib/__init__.py": "",
        "natslib/plots/__init__.py": "",
        "natslib/plots/heat.py": "import numpy\nfrom natslib.tools import tool\n",
        "natslib/tools.py": "tool = 1\n",
        "natslib/unused.py": "",
        "outside.py": "import natslib.tools\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    cells = [
        {"cell_type": "markdown", "source": "import natslib.unused"},
        {"cell_type": "code", "source": ["import pandas as pd\n", "from natslib.plots import heat\n"]},
    ]
    (tmp_path / "book.ipynb").write_text(json.dumps({"cells": cells}))
    return tmp_path


def test_a_notebook_depends_on_what_its_imports_import(project):
    assert imported_sources("book.ipynb", project) == [
        "natslib/__init__.py",
        "natslib/plots/__init__.py",
        "natslib/plots/heat.py",
        "natslib/tools.py",
    ]


def test_a_module_depends_on_what_it_imports(project):
    assert imported_sources("outside.py", project) == ["natslib/__init__.py", "natslib/tools.py"]


def test_modules_that_import_each_other_end(project):
    (project / "natslib/tools.py").write_text("import natslib.plots.heat\n")
    assert "natslib/tools.py" in imported_sources("book.ipynb", project)


def test_what_only_type_checkers_import_does_not_count(project):
    (project / "natslib/tools.py").write_text(
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import natslib.unused\n"
    )
    assert "natslib/unused.py" not in imported_sources("book.ipynb", project)


def test_a_change_of_one_algorithm_redraws_what_searches_and_nothing_else():
    root = Path(__file__).resolve().parents[2]
    using = {
        name for name, item in CATALOGUE.items()
        if "natslib/search/algorithms/bananas.py" in imported_sources(item.path, root)
    }  # fmt: skip
    assert {"anytime", "table4_multi_trial", "proxy_vs_full", "nasbench201", "your_algorithm"} <= using
    drawn = {"search_spaces", "protocol", "ranks", "accuracy_vs_cost", "correlation", "seed_noise"}
    assert not using & (drawn | {"weight_sharing", "table4_weight_sharing", "what_goes_wrong"})
