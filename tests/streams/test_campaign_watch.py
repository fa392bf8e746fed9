"""Facts about what the watch makes of a record; on Kafka see tests/integration."""

from datetime import timedelta

from schemas.codec import Codec
from schemas.ids import CommittedIds
from streams.campaign_watch import CampaignWatch
from streams.campaigns import FOUND_VALUE
from streams.campaigns.campaign import Campaign
from tests.builders import signals
from tests.fakes import FakeLog, a_record

CODEC = Codec(CommittedIds())


class LateCampaigns:
    """Finds nothing in an upload, and one campaign by looking again."""

    def __init__(self, value):
        self.late = [Campaign("id", 7, (0, ("c", 0)), value=value)]

    def observe(self, traits):
        return None

    def take_late(self):
        late, self.late = self.late, []
        return late


def watching(value):
    """Return a watch that has read one upload."""
    watch = CampaignWatch(
        open_reader=None,
        new_campaigns=lambda: LateCampaigns(value),
        codec=CODEC,
        producer=None,
        window=timedelta(days=1),
        most_uploads=10,
        log=FakeLog(),
    )
    watch._take(a_record(0, CODEC.encode(signals())))
    return watch


def test_campaigns_that_are_found_late_are_looked_at_too():
    """Their members are due, though the upload that was read is none of them."""
    assert watching(FOUND_VALUE)._known.found == {7}


def test_campaigns_that_are_too_small_yet_are_not():
    """Whether found late or at once."""
    assert watching(FOUND_VALUE - 0.01)._known.found == set()
