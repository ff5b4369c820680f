"""A headless Chromium, where the machine has one."""

import shutil

import pytest


@pytest.fixture(scope="session")
def chromium():
    """Chromium, driven by Playwright; without the two, the tests that need it are skipped."""
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip("no Chromium on this machine: apt-get install chromium")
    api = pytest.importorskip("playwright.sync_api")
    with api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def page(chromium):
    """A page of 1280 pixels; whatever it logs as an error fails the test."""
    opened, errors = chromium.new_page(viewport={"width": 1280, "height": 900}), []
    opened.set_default_timeout(300_000)
    opened.on("console", lambda message: message.type == "error" and errors.append(message.text))
    opened.on("pageerror", lambda error: errors.append(str(error)))
    yield opened
    opened.close()
    assert not errors
