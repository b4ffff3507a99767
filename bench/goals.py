"""What is asked of valetkey, in ratios of one run, beside what this run measured."""

from collections.abc import Iterator

from rounds import CALM, Bench, Measures, ratio

EXCHANGES = ("exchange", "exchange-oauth21")
LOOKS = ("bearer", "introspect")  # what a peer is asked where valetkey is asked for the bearer check
LIKE = {
    "authorize": ("authorize",),
    "exchange": EXCHANGES,
    "bearer": ("bearer",),
    "introspect": ("introspect",),
    "client-credentials": ("client-credentials",),
}
HEAD = "goal|on|asked|measured|by CPU|met"
# operation, the operations of the peer that it is held against, how many times as fast
DURABLE = (
    ("exchange", ("exchange",), 8),
    ("bearer", LOOKS, 4),
    ("introspect", ("introspect",), 4),
    ("client-credentials", ("client-credentials",), 5),
    ("authorize", ("authorize",), 5),
)
RENEWING = (("refresh", "refresh", 5), ("exchange-refresh", "exchange", 8))
FLOOR = (("exchange", 0.55), ("bearer", 0.60))
LOGIN, CALM_MS, TWO_WORKERS = 0.85, 25, 1.7
Ratios = list[tuple[float, float]]  # of answers a second, and the inverse of processor time an answer


def goals(bench: Bench) -> Iterator[list[str]]:
    """A row for each goal whose servers were measured. Where several ratios bear on a goal the least counts."""
    for engine in ("sqlite", "postgresql"):
        ours = f"valetkey {engine}"
        for name, theirs, least in DURABLE:
            found = ratios(bench, ours, LIKE[name], f"oidcp {engine}", theirs)
            yield from row(f"{name} / oidcp, durable", engine, least, found)
        for name, theirs, least in RENEWING:
            found = ratios(bench, ours, (name,), f"oidcp {engine}, refresh", (theirs,))
            yield from row(f"{name} / oidcp, durable", engine, least, found)
        for name, like in LIKE.items():
            found = ratios(bench, ours, like, "oidcp memory", (name,))
            yield from row(f"{like[0]} / {name} of oidcp in memory", engine, 1, found)
        for name, share in FLOOR:
            yield from row(
                f"{name} / floor", engine, share, ratios(bench, ours, LIKE[name], f"floor {engine}", (name,))
            )
        logins = bench.found.get((ours, "login"))
        if logins:
            yield from row("login / argon2id alone", engine, LOGIN, [compared(logins, bench.argon2)])
            p99 = bench.median(ours, CALM.name, "p99")
            yield [f"{CALM.name}, p99", engine, f"< {CALM_MS} ms", f"{p99:.1f} ms", "", said(p99 < CALM_MS)]
    yield from row(
        "bearer, two workers on two cores / one on one", "postgresql", TWO_WORKERS, two_workers(bench)
    )


def ratios(bench: Bench, ours: str, mine: tuple[str, ...], theirs: str, other: tuple[str, ...]) -> Ratios:
    """Every pairing of these operations that was measured."""
    pairs = ((bench.found.get((ours, one)), bench.found.get((theirs, two))) for one in mine for two in other)
    return [compared(one, two) for one, two in pairs if one and two]


def compared(ours: Measures, theirs: Measures) -> tuple[float, float]:
    return ratio(ours["rate"], theirs["rate"]), ratio(theirs["cpu"], ours["cpu"])


def two_workers(bench: Bench) -> Ratios:
    """Answers a second of two cores, had the generator taken nothing of them, over those of one core.

    With two workers the generator has no core of its own. What it used is taken out: the rate is spread over the rest
    of the two cores, idle time included, and counted up to two whole ones. With one worker, server and PostgreSQL have
    one core and the generator the other.
    """
    one, two = (bench.found.get((f"valetkey postgresql{mark}", "bearer")) for mark in ("", ", 2 workers"))
    if not one or not two:
        return []
    both = [rate * 2 / (2 - taken) for rate, taken in zip(two["rate"], two["load"], strict=True)]
    return [(ratio(both, one["rate"]), 2 * ratio(one["cpu"], two["cpu"]))]


def row(words: str, engine: str, least: float, found: Ratios) -> Iterator[list[str]]:
    if found:
        rate, cpu = (min(one) for one in zip(*found, strict=True))
        asked = f">= {least:g}" if least != 1 else "> 1"
        yield [words, engine, asked, f"{rate:.2f}", f"{cpu:.2f}", said(rate >= least)]


def said(met: bool) -> str:
    return "yes" if met else "NO"
