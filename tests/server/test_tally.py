"""What one network may do in a minute: slow for who guesses, no matter for anybody else, bounded."""

from valetkey.server.tally import MOST_KEYS, Tally


def test_D4_guessing_meets_the_limit_and_a_new_minute_lifts_it():
    time = [600]
    failures = Tally(lambda: time[0], most=3)
    for _ in range(3):
        assert not failures.too_many("10.0.0.1", "app")
        failures.count("10.0.0.1", "app")
    assert failures.too_many("10.0.0.1", "app")
    assert not failures.too_many("10.0.0.2", "app")
    assert not failures.too_many("10.0.0.1", "other")
    time[0] = 660
    assert not failures.too_many("10.0.0.1", "app")


def test_J8_the_counts_are_bounded():
    failures = Tally(lambda: 0, most=3)
    for i in range(MOST_KEYS + 500):
        failures.count("10.0.0.1", f"app{i}")
    assert len(failures.counts) == MOST_KEYS + 1
    assert failures.counts["10.0.0.1", ""] == 500
    assert failures.too_many("10.0.0.1", "another") and not failures.too_many("10.0.0.2", "another")
