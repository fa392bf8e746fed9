from streams.anomaly.alarm_gate import MOST_ALARMS, AlarmGate


def passing(gate, surprises):
    """Return what comes through of each, one after the other."""
    found = []
    for surprise in surprises:
        found.append(gate.passed(surprise))
        gate.learn(surprise)
    return found


def test_one_event_alarms_once():
    """What follows an alarm at its height is its echo; a clear rise is not."""
    first, *echo, rise = passing(AlarmGate(), [2.0, 2.0, 2.5, 1.0, 3.2])

    assert first == 2.0
    assert echo == [0.0, 0.0, 0.0]
    assert rise > 3.0


def test_an_alarm_long_after_is_a_new_one():
    """Six hundred quiet points later the echo is an eighth."""
    found = passing(AlarmGate(), [2.0, *[0.0] * 600, 2.0])

    assert found[-1] > 1.5


def test_what_keeps_coming_back_is_news_no_more():
    """Each time the same height gets less through."""
    found = passing(AlarmGate(), [2.0, *[0.0] * 600] * 8)[::601]

    assert found == sorted(found, reverse=True)
    assert found[-1] < 1.5


def test_the_memory_of_alarms_is_bounded():
    """Rising for ever remembers only the newest alarms."""
    gate = AlarmGate()
    passing(gate, [1.31**n for n in range(1, 600)])

    assert len(gate.save()["alarms"]) == MOST_ALARMS
