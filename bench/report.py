"""What a run prints: its tables, readable here and in Markdown; and where they stand in a page."""

import statistics
from collections.abc import Iterator
from pathlib import Path

from ours import Valetkey
from rounds import CALM, Bench, Measures, ratio
from servers import Server

HEAD = "on|operation|answers/s|CPU us|p50 ms|p99 ms|MB|of empty|valetkey, rate|valetkey, CPU"
COMPARED = "this tree / other|operation|answers/s|CPU us"
BEGIN, END = "<!-- figures: written by ./dev bench --write -->", "<!-- end of figures -->"


def table(head: str, rows: list[list[str]]) -> str:
    lines = [head.split("|"), *rows]
    widths = [max(len(line[column]) for line in lines) for column in range(len(lines[0]))]
    lines.insert(1, ["-" * width for width in widths])
    padded = ([cell.ljust(width) for cell, width in zip(line, widths, strict=True)] for line in lines)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in padded)


def rows(bench: Bench) -> Iterator[list[str]]:
    """The one table: a line for each operation of each server."""
    for name in dict.fromkeys(name for _, name in bench.found):
        for server in bench.servers:
            measures = bench.found.get((server.name, name))
            if measures:
                yield row(bench, server, name, measures)


def row(bench: Bench, server: Server, name: str, measures: Measures) -> list[str]:
    rate, cpu, p50, p99, held = (
        statistics.median(measures[key]) for key in ("rate", "cpu", "p50", "p99", "megabytes")
    )
    cells = [
        server.name,
        name,
        f"{rate:,.0f}",
        f"{cpu:,.0f}",
        f"{p50:.2f}",
        f"{p99:.2f}",
        f"{held:.0f}",
        "",
        "",
        "",
    ]
    if name == CALM.name:  # its rate is ours, and the logins' work stands beside its own
        cells[2:4] = ["", ""]
    unit = bench.of_empty(server, name)
    if unit:
        cells[7] = f"{ratio(measures['rate'], unit['rate']):.2f}"
    ours = beside(bench, server, name)
    if ours:
        cells[8] = f"x {ratio(ours['rate'], measures['rate']):.2f}"
        cells[9] = f"x {ratio(ours['cpu'], measures['cpu']):.2f}"
    return cells


def beside(bench: Bench, server: Server, name: str) -> Measures | None:
    """valetkey's own on the same engine; what has none is held against SQLite, introspection against a bearer check.

    An exchange that gives a refresh token, too, is held against one that does.
    """
    if isinstance(server, Valetkey):
        return None
    engine = "postgresql" if server.engine == "postgresql" else "sqlite"
    like = {"introspect": "bearer"} | ({"exchange": "exchange-refresh"} if "refresh" in server.GOOD else {})
    return bench.found.get((f"valetkey {engine}", like.get(name, name)))


def compared(bench: Bench) -> Iterator[list[str]]:
    """This tree in shares of the other one."""
    for here in bench.servers:
        there = f"{here.name} (other)"
        for name in dict.fromkeys(
            name for server, name in bench.found if server == there and name != CALM.name
        ):
            ours, theirs = bench.found[here.name, name], bench.found[there, name]
            yield [here.name, name, *(f"{ratio(ours[key], theirs[key]):.3f}" for key in ("rate", "cpu"))]


def argon2(bench: Bench) -> str:
    rates = bench.argon2["rate"]
    return f"{statistics.median(rates):.0f} hashes a second of one core" if rates else "not measured"


def write(page: Path, figures: str) -> None:
    """Put them where the page has its place for them."""
    before, begin, rest = page.read_text().partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise SystemExit(f"bench: {page} has no place for figures: {BEGIN} ... {END}")
    page.write_text(f"{before}{BEGIN}\n\n{figures.strip()}\n\n{END}{after}")
