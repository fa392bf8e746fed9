"""What the tests of replay share."""

import pytest

from tests.streams.replaying.incident import an_incident


@pytest.fixture
def incident(tmp_path):
    """An hour's incident, on a broker of its own."""
    with an_incident(tmp_path) as incident:
        yield incident
