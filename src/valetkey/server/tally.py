"""What one network may do in a minute, counted in this process: guess secrets (D4), leave requests here (J8)."""

from valetkey.server.clock import Clock

WINDOW = 60
MOST_KEYS = 10_000


class Tally:
    """Counts by network and client. The limits are generous: honest mistakes and busy offices never meet them."""

    def __init__(self, clock: Clock, most: int) -> None:
        self.clock, self.most = clock, most
        self.minute = 0
        self.counts: dict[tuple[str, str], int] = {}

    def too_many(self, network: str, client_id: str) -> bool:
        """Whether this pair has had its share of the running minute."""
        return self.current().get(self.key(network, client_id), 0) >= self.most

    def count(self, network: str, client_id: str) -> None:
        """One more."""
        counts, key = self.current(), self.key(network, client_id)
        counts[key] = counts.get(key, 0) + 1

    def key(self, network: str, client_id: str) -> tuple[str, str]:
        """What is counted. Beyond MOST_KEYS pairs a minute, new ones of a network are not told apart."""
        pair = (network, client_id)
        return pair if pair in self.counts or len(self.counts) < MOST_KEYS else (network, "")

    def current(self) -> dict[tuple[str, str], int]:
        """The counts of the running minute; those before it are forgotten."""
        minute = self.clock() // WINDOW
        if minute != self.minute:
            self.minute, self.counts = minute, {}
        return self.counts
