from streams.errors import PermanentError
from streams.metrics import Metrics
from streams.telemetry import EventLog
from tests.fakes import a_record

UNITS = (
    "_total",
    "_seconds",
    "_bytes",
    "_items",
    "_events",
    "_info",
    "_created",
    "_ratio",
)
COUNTS = {"headgate_ready", "headgate_histories", "headgate_crash_suspects"}


def value(metrics, name, **labels):
    """Return a metric's value."""
    return metrics.registry.get_sample_value(name, labels)


def test_names_carry_their_unit():
    """Prometheus' conventions; a few plain counts of things aside."""
    ours = [f for f in Metrics("0").registry.collect() if f.name.startswith("headgate")]
    for family in ours:
        name = family.name + ("_total" if family.type == "counter" else "")
        known = name.endswith((*UNITS, "_fds")) or family.name in COUNTS
        assert known, family.name


def test_an_event_that_went_well_is_counted_by_its_facts():
    """Outcome, retries, decision and its age come from the one log line."""
    metrics = Metrics("0")
    line = EventLog(metrics).begin("judge", a_record())
    line.finish(attempts=3, action="block", provisional=False, age_s=0.4)

    assert value(metrics, "headgate_events_total", stage="judge", outcome="done") == 1
    assert value(metrics, "headgate_retries_total", stage="judge") == 2
    assert (
        value(metrics, "headgate_decisions_total", action="block", provisional="false")
        == 1
    )
    assert value(metrics, "headgate_decision_age_seconds_sum") == 0.4


def test_a_dead_letter_is_counted_by_its_reason():
    """The reason code is the label; never anything of the payload."""
    metrics = Metrics("0")
    line = EventLog(metrics).begin("screen", a_record())
    line.dead_letter(PermanentError("not_avro_framed", "bytes"))

    reason = {"stage": "screen", "reason": "not_avro_framed"}
    assert value(metrics, "headgate_dead_letters_total", **reason) == 1


def test_an_upload_that_was_judged_before_is_counted_apart():
    """A duplicate is no decision."""
    metrics = Metrics("0")
    EventLog(metrics).begin("judge", a_record()).finish(duplicate="again", age_s=1)

    assert value(metrics, "headgate_duplicates_total") == 1


def test_restored_histories_are_told_by_partition():
    """How many, and how long it took."""
    metrics = Metrics("0")
    EventLog(metrics).note(
        "histories_restored", partition=2, uploaders=9, next_offset=0, seconds=0.5
    )

    assert value(metrics, "headgate_histories", partition="2") == 9
    assert value(metrics, "headgate_histories_restore_seconds_sum") == 0.5
