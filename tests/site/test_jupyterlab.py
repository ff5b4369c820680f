"""JupyterLab as `make lab` starts it: the index leads to notebooks, they run, and one draws what a reader chooses."""

import os
import re
import signal
import subprocess
import sys
import threading
from pathlib import Path

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
CHOOSING = "02_accuracy_vs_cost"
CHEAP = ("12_protocol", "21_shift", CHOOSING)
LONGEST_S, MOST_MB = 60, 1_000
QUIET = "--no-browser --port=0 --IdentityProvider.token=given"


@pytest.fixture(scope="module")
def lab(chromium):
    """A JupyterLab of this project; its process and its address."""
    given = ["make", "-o", ".venv/.ready", f"BIN={Path(sys.executable).parent}", "lab", f"ARGS={QUIET}"]
    told = {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    output = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
    started = subprocess.Popen(given, cwd=ROOT, env=os.environ | told, start_new_session=True, **output)
    said = []
    for line in started.stdout:
        said.append(line)
        if found := re.search(r"http://localhost:\d+/lab\S*\?token=", line):
            break
    else:
        pytest.fail(f"`make lab` stopped: {''.join(said)}")
    reader = threading.Thread(target=started.stdout.read, daemon=True)
    reader.start()
    yield psutil.Process(started.pid), f"{found[0]}given"
    os.killpg(started.pid, signal.SIGTERM)
    started.wait(30)
    reader.join(30)
    started.stdout.close()


def kernels(process):
    return [
        each for each in process.children(recursive=True) if "ipykernel_launcher" in " ".join(each.cmdline())
    ]


def shown(page):
    return page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")


def run_all(page):
    page.locator(".lm-MenuBar-itemLabel", has_text=re.compile("^Run$")).click()
    page.locator(".lm-Menu-itemLabel", has_text=re.compile("^Run All Cells$")).click()
    page.wait_for_timeout(500)
    shown(page).locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()


SCROLL = "panel => { const at = panel.scrollTop; panel.scrollTop += 600; return panel.scrollTop == at; }"


def pictures_and_errors(page):
    """Scroll through the notebook, which draws only what is in sight; return its pictures and its errors."""
    window, pictures, errors = shown(page).locator(".jp-WindowedPanel-outer"), set(), set()
    window.evaluate("panel => panel.scrollTop = 0")
    while True:
        page.wait_for_timeout(300)
        found = shown(page).locator(".jp-OutputArea-output img")
        pictures |= set(found.evaluate_all("all => all.filter(one => one.naturalWidth).map(one => one.src)"))
        errors |= set(
            shown(page).locator('[data-mime-type="application/vnd.jupyter.error"]').all_inner_texts()
        )
        if window.evaluate(SCROLL):
            return pictures, errors


def draws_what_a_reader_chooses(page):
    """Scrolled to its end, a notebook draws another picture for another cost."""
    panel = shown(page).locator(".widget-vbox")
    first = panel.locator("img").get_attribute("src")
    panel.get_by_label("cost").select_option("flops_m")
    page.wait_for_function("first => document.querySelector('.widget-vbox img').src != first", arg=first)
    assert panel.locator("img").count() == 1


def test_the_index_opens_and_its_notebooks_run(lab, page):
    process, address = lab
    before = subprocess.run(
        ["git", "status", "--short", "notebooks"], cwd=ROOT, capture_output=True, text=True
    )
    page.goto(address)
    shown(page).locator(".jp-Cell").first.wait_for()
    for name in CHEAP:
        page.locator(".lm-TabBar-tabLabel", has_text="00_index.ipynb").click()
        pictures_and_errors(page)  # to the end of the index, so that its table is there
        shown(page).locator("td a", has_text=re.compile(f"^{name}$")).first.click()
        page.locator(".lm-TabBar-tab.lm-mod-current", has_text=f"{name}.ipynb").wait_for()
        shown(page).locator('.jp-Notebook-ExecutionIndicator[data-status="idle"]').wait_for()
        changed = page.locator(".lm-TabBar-tab.lm-mod-current.jp-mod-dirty")
        changed.wait_for(state="detached", timeout=10_000)  # while it loads it counts as changed for a moment
        (kernel,) = [each for each in kernels(process) if not each.cpu_times().children_user][-1:]
        before_s = sum(kernel.cpu_times()[:2])
        run_all(page)
        assert sum(kernel.cpu_times()[:2]) - before_s < LONGEST_S
        assert kernel.memory_info().rss < MOST_MB * 1e6
        pictures, errors = pictures_and_errors(page)
        assert pictures
        assert not errors
        assert not page.locator(".jp-Dialog").count()
        if name == CHOOSING:
            draws_what_a_reader_chooses(page)
    after = subprocess.run(
        ["git", "status", "--short", "notebooks"], cwd=ROOT, capture_output=True, text=True
    )
    assert after.stdout == before.stdout
