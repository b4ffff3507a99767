"""A driver's half of ../conversation.py, for the Python clients."""

import json
import sys
from typing import Any


def config() -> dict[str, Any]:
    """What the test says first: base, client_id, client_secret, redirect_uri."""
    return json.loads(sys.stdin.readline())


def visit(url: str) -> str:
    """Send the person to the server, and say where their browser came back."""
    print(json.dumps({"visit": url}), flush=True)
    return json.loads(sys.stdin.readline())["landed"]


def finish(**result: Any) -> None:
    """Tell what the client knows now."""
    print(json.dumps({"result": result}), flush=True)
