"""`snakemake --report` of what is drawn: complete, captioned, and readable in a browser."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

from natslib.workflow.reported import Reported

ROOT = Path(__file__).resolve().parents[2]
OTHER_PAPER = "autoshrink_published_form"  # of one paper alone, a report has no menu
STEMS = ("fig1_search_spaces", "search_spaces_counts")


def test_a_report_shows_figures_with_their_captions(tmp_path, page):
    report = tmp_path / "report.html"
    wanted = [f"figures/{stem}.svg" for stem in (*STEMS, OTHER_PAPER)]
    given = [sys.executable, "-m", "snakemake", "--nolock", "--report", str(report), "--", *wanted]
    made = subprocess.run(given, cwd=ROOT, capture_output=True, text=True)
    assert report.is_file(), made.stderr
    assert report.stat().st_size < 5e6
    page.goto(report.as_uri(), wait_until="commit")
    page.get_by_text("NATS-Bench", exact=True).first.click()
    page.get_by_text(STEMS[1], exact=True).first.wait_for()
    caption = json.loads((ROOT / f"figures/{STEMS[0]}.json").read_text())["caption"]
    assert caption.split()[0] in report.read_text(encoding="utf-8")


def project(folder):
    """Make a configuration of two items without a source, drawn in `folder`, one of them in part."""
    for stem in STEMS:
        for path in (ROOT / "figures").glob(f"{stem}.*"):
            shutil.copy(path, folder)
    for path in (ROOT / "figures").glob("table2_recipes.*"):
        shutil.copy(path, folder)
    searches = {"origin": "logs/weight-sharing", "settings": "digits", "dataset": "digits"}
    return Reported({"figures": str(folder), "sources": {}, "searches": searches})


def test_what_is_missing_is_named_and_no_part_of_the_report(tmp_path):
    reported = project(tmp_path)
    assert {"table3_datasets"} <= set(reported.missing)
    assert {Path(file).stem for file in reported.drawn} == set(STEMS)


def test_what_is_missing_is_drawn_by_the_configuration_that_asks_for_it(tmp_path):
    reported = project(tmp_path)
    assert reported.command("table3_datasets") == f"snakemake --cores 2 -- {tmp_path}/table3_datasets.svg"
    other = Reported(reported.config, "config/my own.yaml")
    assert "--configfile 'config/my own.yaml' -- " in other.command("table3_datasets")


def test_a_caption_is_plain_text_to_restructuredtext(tmp_path):
    reported = project(tmp_path)
    file = tmp_path / "a_.json"
    file.write_text(json.dumps({"caption": "two *stars*, `a`|b|"}))
    assert reported.captions([str(file), "a_.svg"]) == [r"**a\_**: two \*stars\*, \`a\`\|b\|"]
