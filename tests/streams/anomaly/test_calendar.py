from streams.anomaly.calendar import DAY_S, HOUR_S, DayEnvelope, WeekProfile


def test_yesterday_at_this_hour_is_inside():
    """A value between yesterday's lowest and highest at that hour is nothing odd."""
    envelope = DayEnvelope()
    for minute, value in ((0, 10.0), (10, 20.0), (40, 0.0)):
        envelope.learn(minute * 60.0, value)

    assert envelope.beyond(DAY_S, 15.0) == 0.0
    assert envelope.beyond(DAY_S, 26.0) == 6.0
    assert envelope.beyond(DAY_S, 4.0) == 6.0


def test_half_an_hour_early_is_inside_and_two_hours_are_not():
    """A job that starts early is known; hours earlier it is compared with then."""
    envelope = DayEnvelope()
    for half_hour in range(48):
        envelope.learn(half_hour * 1800.0, 100.0 if half_hour == 20 else 1.0)
    envelope.learn(DAY_S, 1.0)

    assert envelope.beyond(DAY_S + 19 * 1800.0, 100.0) == 0.0
    assert envelope.beyond(DAY_S + 16 * 1800.0, 100.0) == 99.0


def test_a_day_older_than_a_week_is_forgotten():
    """Eight days later the peak is out of the envelope."""
    envelope = DayEnvelope()
    for day in range(9):
        envelope.learn(day * DAY_S, 100.0 if day == 0 else 1.0)
        envelope.learn(day * DAY_S + HOUR_S, 1.0)

    assert envelope.beyond(9 * DAY_S, 100.0) == 99.0


def test_nothing_known_is_nothing_odd():
    """An hour never seen says nothing."""
    assert DayEnvelope().beyond(0.0, 1e9) == 0.0
    assert WeekProfile().residual(0.0, 1e9) == 0.0


def test_each_hour_of_the_week_has_its_mean():
    """Monday's noon says nothing of Tuesday's; a week later it is compared."""
    profile = WeekProfile()
    for week in range(3):
        profile.learn(7 * DAY_S * week, 10.0)
        profile.learn(7 * DAY_S * week + DAY_S, 50.0)

    assert profile.residual(21 * DAY_S, 12.0) == 2.0
    assert profile.residual(22 * DAY_S, 12.0) == -38.0
    assert profile.residual(23 * DAY_S, 12.0) == 0.0


def test_a_profile_follows_within_weeks():
    """After five weeks on a new level the old one is mostly gone."""
    profile = WeekProfile()
    for week in range(10):
        for minute in range(0, 60, 5):
            at_s = 7 * DAY_S * week + minute * 60.0
            profile.learn(at_s, 10.0 if week < 5 else 20.0)

    assert 0 <= profile.residual(70 * DAY_S, 20.0) < 2.5
