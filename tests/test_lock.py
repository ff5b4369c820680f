"""What `make` installs: every package by the hashes of its files, torch by its version, whatever the index is."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LOCK = (ROOT / "requirements.lock").read_text()
PINS = re.findall(r"^([a-z0-9-]+)==(\S+)((?: \\\n    --hash=sha256:[0-9a-f]{64})*)$", LOCK, re.MULTILINE)


def test_every_package_is_pinned_with_hashes():
    named = re.findall(r"^[a-z]\S*", LOCK, re.MULTILINE)
    assert [f"{name}=={version}" for name, version, _ in PINS] == named
    assert [name for name, _, hashes in PINS if not hashes] == []


def test_no_build_and_no_index_of_one_machine_is_named():
    assert [version for _, version, _ in PINS if "+" in version] == []
    assert not re.search(r"https?://|file://|--(index|extra-index|find-links)", LOCK)


def test_torch_stands_apart_with_its_version_alone():
    assert "torch" not in {name for name, _, _ in PINS}
    assert re.fullmatch(r"torch==[0-9.]+\n", (ROOT / "requirements-torch.lock").read_text())


def test_make_asks_for_the_hashes():
    assert "--require-hashes --requirement requirements.lock" in (ROOT / "Makefile").read_text()
