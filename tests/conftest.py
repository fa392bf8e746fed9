"""Fixtures that every test may use."""

import os
from collections.abc import Callable
from pathlib import Path

import hypothesis
import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # No test downloads anything.
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

# A busy machine is no failure.
hypothesis.settings.register_profile("headgate", deadline=None)
hypothesis.settings.load_profile("headgate")

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def shared_data() -> Callable[[str], Path]:
    """Find a folder of the shared data set, or skip by name."""

    def find(name: str) -> Path:
        folder = ROOT.parent / "shared" / "data" / name
        if not folder.is_dir():
            pytest.skip(f"shared data `{name}` is not beside this checkout")
        return folder

    return find
