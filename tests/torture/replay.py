"""Chance with a seed that is said, so that a campaign which failed can be run again."""

import os
import random


def chance(long: bool) -> random.Random:
    """Chance for the running test; prints the command that replays it."""
    seed = int(os.environ.get("VALETKEY_SEED", random.SystemRandom().randrange(10**9)))
    test = os.environ["PYTEST_CURRENT_TEST"].rpartition(" ")[0]
    print(f"\nreplay: VALETKEY_SEED={seed} ./dev {'torture' if long else 'test'} '{test}'")
    return random.Random(seed)
