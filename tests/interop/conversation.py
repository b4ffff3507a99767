"""The talk between a test and a driver: a line of JSON each, so that any language can be on the other end.

test -> driver  {"base": ..., "client_id": ..., "client_secret": ..., "redirect_uri": ...}
driver -> test  {"visit": URL}          send the person there
test -> driver  {"landed": URL}         where the person's browser came back
driver -> test  {"result": {...}}       what the client knows now; the driver ends
"""

import json
import os
import subprocess
import tempfile
import threading
from collections.abc import Callable, Mapping
from typing import Any

PATIENCE = 60.0  # seconds until a driver that hangs is killed


def converse(
    command: list[str],
    config: Mapping[str, str | None],
    visit: Callable[[str], str],
    environment: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Run a driver to its result; `visit` takes the person through the pages."""
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    with (
        tempfile.TemporaryFile("w+") as errors,
        subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=inherited | dict(environment or {}),
        ) as driver,
    ):
        watchdog = threading.Timer(PATIENCE, driver.kill)
        watchdog.start()
        try:
            result = _talk(driver, config, visit)
        finally:
            watchdog.cancel()
            driver.kill()
            driver.wait()
        if result is None:
            errors.seek(0)
            raise AssertionError(f"{' '.join(command)} gave no result:\n{errors.read()[-6000:]}")
        return result


def _talk(
    driver: subprocess.Popen[str], config: Mapping[str, str | None], visit: Callable[[str], str]
) -> dict[str, Any] | None:
    assert driver.stdin is not None and driver.stdout is not None
    _say(driver, config)
    for line in driver.stdout:
        message = json.loads(line)
        if "result" in message:
            result: dict[str, Any] = message["result"]
            return result
        _say(driver, {"landed": visit(message["visit"])})
    return None


def _say(driver: subprocess.Popen[str], message: Mapping[str, str | None]) -> None:
    assert driver.stdin is not None
    driver.stdin.write(json.dumps(message) + "\n")
    driver.stdin.flush()
