"""`valetkey serve`, with the empty handler that everything is a share of in front of its application.

serve.py PORT WORKERS; the settings come from the environment, and BENCH_EVERY: seconds between looks of housekeeping.
"""

import os
import sys
from typing import Any

from valetkey.cli import generation, main, serving, succession
from valetkey.server import housekeeping

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"2")]


class WithEmpty:
    """/nop answers at once; all else is valetkey's."""

    def __init__(self, app: Any) -> None:
        self.app = app

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope.get("path") != "/nop":
            return await self.app(scope, receive, send)
        await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
        await send({"type": "http.response.body", "body": b"ok"})


if __name__ == "__main__":
    if sys.argv[1] == "generation":  # the process that serves
        make_app = serving.make_app
        serving.make_app = lambda settings: WithEmpty(make_app(settings))  # type: ignore[assignment]
        housekeeping.EVERY = float(os.environ.get("BENCH_EVERY", housekeeping.EVERY))
        sys.exit(generation.main(sys.argv[2]))
    succession.PROGRAM = (__file__, "generation")
    places = ["--host", "127.0.0.1", "--port", sys.argv[1], "--workers", sys.argv[2]]
    main.cli(["serve", *places], prog_name="valetkey")
