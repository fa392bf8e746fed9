"""What chaos runs need."""

import shutil

import pytest


@pytest.fixture
def needs_kafka():
    """Skip where no Apache Kafka can run."""
    if shutil.which("java") is None:
        pytest.skip("no Java for Apache Kafka; `make setup` installs JDK 17")
