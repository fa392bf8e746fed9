"""Facts about which policy is today's, where replay and `why` look."""

from datetime import timedelta

from schemas.codec import Codec
from schemas.ids import CommittedIds
from schemas.topics import POLICY_ACTIVE
from streams.embedded_broker import EmbeddedBroker
from streams.policy_activation import activation, activation_output
from streams.policy_folder import read_policy_files
from streams.producer import DeliveringProducer
from streams.replaying.here import candidate_policy, policies_here
from streams.replaying.request import Request
from streams.settings import load_settings
from tests.builders import NOON
from tests.streams.replaying.incident import RIGHT_POLICY, a_policy_file


def test_todays_policy_is_the_one_in_force(tmp_path):
    """Where workers follow the topic the latest there; else HEADGATE_POLICY."""
    files = [a_policy_file(tmp_path, version, RIGHT_POLICY) for version in "123"]
    with EmbeddedBroker() as broker:
        broker.ensure_topics([POLICY_ACTIVE.name])
        producer = DeliveringProducer(broker.bootstrap_servers)
        codec = Codec(CommittedIds())
        for hours, file in ((2, files[2]), (1, files[1])):  # The later one lies first.
            at = NOON + timedelta(hours=hours)
            record = activation(read_policy_files(file), at)
            producer.send_all([activation_output(codec, record)])
        producer.close()

        def todays(**fields):
            settings = load_settings(
                bootstrap_servers=broker.bootstrap_servers,
                policy=str(files[0]),
                **fields,
            )
            heads_only = candidate_policy(Request(heads="a"), settings)
            return policies_here(settings, ())[0].version, heads_only.version

        assert todays(policy_topic="true") == ("3", "3")
        assert todays() == ("1", "1")
