"""The end while a reload is under way: whoever is asked to go does not succeed anybody, and nobody begins any more."""

import socket
from pathlib import Path

import pytest

from valetkey.cli import succession
from valetkey.cli.succession import Start, Succession

# The first serves and asks for a reload. The second asks for another one, then for the end, and says only then that
# it serves, as a worker does that hears SIGTERM while it starts.
GENERATION = f"""
import json, os, signal, sys
told = json.loads(sys.argv[1])
number = len(os.listdir("."))
open(f"generation-{{number}}", "x").close()
signal.signal(signal.{succession.LEAVE.name}, lambda *_: None)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
os.write(told["tell"], b'{{"workers":1}}\\n' + b'{{"serving":1}}\\n' * (number == 0))
os.kill(told["parent"], signal.SIGHUP)
if number:
    os.kill(told["parent"], signal.SIGTERM)
signal.sigwait([signal.SIGTERM])
os.write(told["tell"], b'{{"serving":1}}\\n')
"""


def test_nobody_begins_after_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(succession, "PROGRAM", ("-c", GENERATION))
    monkeypatch.setattr(succession, "GRACE", -5)  # whoever still lives five seconds after the end is killed
    said: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:
        made = Succession(Start(None, None, {}, 0.0), listening, lambda _, event, **__: said.append(event))
        assert made.run() == 0
    assert len(list(tmp_path.iterdir())) == 2
    assert said == []
