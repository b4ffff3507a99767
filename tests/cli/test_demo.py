"""`valetkey demo`: three lines, a shop, every flow of the origin document to click through."""

import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.interop.browser import Browser, Page
from tests.program import VALETKEY
from tests.waiting import PATIENCE
from valetkey.cli.demo.stage import DEMO, DEVELOPER


class Demo:
    """A demo that runs, on free ports unless others are said."""

    def __init__(self, folder: Path, *words: str) -> None:
        ports = words or ("--port", "0", "--shop-port", "0")
        self.process = subprocess.Popen(
            [VALETKEY, "demo", *ports], stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL,
            text=True, env={"TMPDIR": str(folder), "PATH": ""}, cwd=folder,
        )  # fmt: skip
        assert self.process.stdout is not None
        self.lines = [self.process.stdout.readline() for _ in range(3)]
        assert all(self.lines), self.process.communicate()
        self.home = re.findall(r"http://[\d.:]+", self.lines[0])[0]
        self.issuer = re.findall(r"http://[\d.:]+", self.lines[2])[0]

    def ends(self) -> tuple[str, str]:
        """Ctrl-C; returns what else it had said."""
        self.process.send_signal(signal.SIGINT)
        out, err = self.process.communicate(timeout=PATIENCE)
        assert self.process.returncode == 0
        return out, err

    def comes_back(self, start: str, until: str, decision: str = "allow") -> tuple[str, Page]:
        """Somebody presses a button of the shop, logs in and decides; where they land, and the page there."""
        one = DEMO if decision == "allow" else DEVELOPER  # who has said yes before is not asked again
        browser = Browser(one.username, one.password)
        landed = browser.follow(self.home + start, self.home + until, decision)
        return landed, browser._load(landed.partition("#")[0])


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    shown = Demo(tmp_path_factory.mktemp("demo"))
    yield shown
    shown.process.kill()
    shown.process.communicate()


def test_the_server_side_flow(demo: Demo) -> None:
    landed, page = demo.comes_back("/print", "/callback?")
    code = parse_qs(urlsplit(landed).query)["code"][0]
    assert page.status == 200 and "On its way, Dana Larsen!" in page.html
    assert f"code={code}" in page.html and "-F &#39;grant_type=authorization_code&#39;" in page.html
    assert "&#34;username&#34;: &#34;demo&#34;" in page.html and "&#34;meta&#34;: {" in page.html
    assert re.search(r"client_secret=vk_cs_.{3}…", page.html) and not re.search(r"vk_cs_[\w-]{10}", page.html)


def test_the_client_side_flow(demo: Demo) -> None:
    landed, page = demo.comes_back("/print-in-browser", "/browser-callback")
    assert re.search(r"/browser-callback\?state=[\w-]+#access_token=[0-9a-f.]+$", landed)
    assert page.status == 200 and "/static/fragment.js" in page.html and "needs JavaScript" in page.html


@pytest.mark.parametrize(
    ("start", "until"), [("/print", "/callback"), ("/print-in-browser", "/browser-callback")]
)
def test_a_no_is_taken_well(demo: Demo, start: str, until: str) -> None:
    landed, page = demo.comes_back(start, until, "deny")
    assert "?error=access_denied&error_reason=user_denied&" in landed
    assert page.status == 200 and "No photos, no hard feelings" in page.html
    assert "user_denied" in page.html and "The user denied your request" in page.html


def test_three_lines_and_no_more(tmp_path: Path) -> None:
    """Once both answer; afterwards nothing is left, and it can be shown again."""
    for _ in range(2):
        demo = Demo(tmp_path)
        assert demo.lines[0].startswith(f"Shop       {demo.home}/ ")
        assert demo.lines[1] == "Log in as  demo   password: apricots in the afternoon\n"
        assert demo.lines[2] == (
            f"Developer  developer   password: tinkering after midnight   {demo.issuer}/developer/\n"
        )
        assert len(list(tmp_path.iterdir())) == 1
        assert demo.ends() == ("", "")
        assert list(tmp_path.iterdir()) == []


def test_busy_ports_are_said_and_others_taken(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        taken = [str(busy.getsockname()[1]) for busy in (one, two)]
        demo = Demo(tmp_path, "--port", taken[0], "--shop-port", taken[1])
        _, err = demo.ends()
    for port, line in zip(taken, err.splitlines(), strict=True):
        assert re.fullmatch(
            rf"demo: port: {port} on 127.0.0.1 is used by another program; taking \d+ instead", line
        )
    assert not any(address.endswith(f":{port}") for port in taken for address in (demo.home, demo.issuer))
