"""Chaos runs: the short ones with every test, the long ones only when asked for."""

import shutil

import pytest


def pytest_collection_modifyitems(config, items):
    """Leave tests marked `chaos` out unless `-m` names the mark: they take minutes."""
    if "chaos" in config.getoption("-m"):
        return
    long = [item for item in items if item.get_closest_marker("chaos")]
    if long:
        config.hook.pytest_deselected(items=long)
        items[:] = [item for item in items if item not in long]


@pytest.fixture
def needs_kafka():
    """Skip where no Apache Kafka can run."""
    if shutil.which("java") is None:
        pytest.skip("no Java for Apache Kafka; `make setup` installs JDK 17")
