"""Fixtures that every test may use."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # No test downloads anything.
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

os.environ.pop("COLUMNS", None)  # Tables are tested as wide as they like to be.

# A busy machine is no failure.
hypothesis.settings.register_profile("headgate", deadline=None)
hypothesis.settings.load_profile("headgate")

ROOT = Path(__file__).resolve().parent.parent


def pytest_collection_modifyitems(config, items):
    """Leave tests marked `chaos` out unless `-m` names the mark: they take minutes."""
    if "chaos" in config.getoption("-m"):
        return
    long = [item for item in items if item.get_closest_marker("chaos")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Find a folder of the shared data set, or skip by name."""

    def find(name: str) -> Path:
        folder = ROOT.parent / "shared" / "data" / name
        if not folder.is_dir():
            pytest.skip(f"shared data `{name}` is not beside this checkout")
        return folder

    return find


@pytest.fixture(scope="module")
def browser():
    """The system's Chromium, or a skip that names it."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is missing")
    binary = shutil.which("chromium")
    if binary is None:
        pytest.skip("chromium is not installed: deploy/system-packages names it")
    with api.sync_playwright() as play:
        chromium = play.chromium.launch(
            executable_path=binary, args=["--no-sandbox", "--disable-dev-shm-usage"]
        )
        yield chromium
        chromium.close()
