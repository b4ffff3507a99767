"""The demo's shop by itself: what it believes, what it shows, and what it does when things go wrong."""

import http.server
import threading
from collections.abc import AsyncIterator, Iterator

import httpx2
import pytest

from valetkey.cli.demo import exchange
from valetkey.cli.demo.exchange import Answer
from valetkey.cli.demo.photo_printer import Registration, photo_printer

HOME = "http://shop.example"
SHOP = Registration("http://id.example:8000", HOME, "c" * 32, "vk_cs_very_secret_indeed")


@pytest.fixture
async def browser() -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(app=photo_printer(SHOP))
    async with httpx2.AsyncClient(transport=transport, base_url=HOME) as client:
        yield client


async def begun(browser: httpx2.AsyncClient, start: str = "/print") -> str:
    """Begin a flow; returns the state."""
    answer = await browser.get(start)
    assert answer.status_code == 303
    return httpx2.URL(answer.headers["location"]).params["state"]


async def test_the_shop_window_has_both_buttons(browser: httpx2.AsyncClient) -> None:
    page = (await browser.get("/")).text
    assert 'href="/print"' in page and 'href="/print-in-browser"' in page
    for file in ("shop.css", "fragment.js", "orange.svg", "sea.svg", "hills.svg", "bowl.svg"):
        assert (await browser.get(f"/static/{file}")).status_code == 200


@pytest.mark.parametrize(
    ("start", "kind", "callback"),
    [("/print", "code", "/callback"), ("/print-in-browser", "token", "/browser-callback")],
)
async def test_what_it_asks_for(browser: httpx2.AsyncClient, start: str, kind: str, callback: str) -> None:
    asked = httpx2.URL((await browser.get(start)).headers["location"])
    assert f"{asked.scheme}://{asked.host}:{asked.port}{asked.path}" == f"{SHOP.issuer}/oauth/authorize/"
    assert asked.params["response_type"] == kind and asked.params["redirect_uri"] == HOME + callback
    assert asked.params["client_id"] == SHOP.client_id and len(asked.params["state"]) >= 20


@pytest.mark.parametrize("callback", ["/callback", "/browser-callback"])
@pytest.mark.parametrize(
    "query", ["?code=x", "?code=x&state=", "?code=x&state=another", "?error=access_denied"]
)
async def test_only_a_visit_that_began_here_goes_on(
    browser: httpx2.AsyncClient, callback: str, query: str
) -> None:
    assert (await browser.get(callback + query)).status_code == 400
    await begun(browser)
    page = await browser.get(callback + query)
    assert page.status_code == 400 and "That did not work" in page.text


async def test_a_state_is_good_once(browser: httpx2.AsyncClient) -> None:
    state = await begun(browser)
    back = f"/callback?error=access_denied&state={state}"
    assert [(await browser.get(back)).status_code for _ in range(2)] == [200, 400]


async def test_what_comes_from_outside_is_only_shown(browser: httpx2.AsyncClient) -> None:
    evil = "<script>alert(1)</script>"
    state = await begun(browser)
    page = await browser.get("/callback", params={"error": evil, "error_description": evil, "state": state})
    assert evil not in page.text and "&lt;script&gt;" in page.text
    policy = page.headers["content-security-policy"]
    assert (
        policy.startswith("default-src 'none'; ") and "script-src 'self'" in policy and "unsafe" not in policy
    )


async def test_a_code_that_is_not_accepted(
    browser: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    no = Answer(400, '{"code": 400, "error_message": "Matching code was not found or was already used."}')
    monkeypatch.setattr(exchange, "token_for", lambda shop, code: no)
    page = await browser.get(f"/callback?code=x&state={await begun(browser)}")
    assert page.status_code == 502 and "The code was not accepted" in page.text
    assert "was already used" in page.text and "very_secret" not in page.text


async def test_a_server_that_is_away(browser: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(shop: Registration, code: str) -> Answer:
        raise ConnectionRefusedError("nobody there")

    monkeypatch.setattr(exchange, "token_for", away)
    page = await browser.get(f"/callback?code=x&state={await begun(browser)}")
    assert page.status_code == 502 and "nobody there" in page.text


class Odd(http.server.BaseHTTPRequestHandler):
    """Answers with what it was sent, or with nonsense."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        self.wfile.write(b"nonsense\r\n\r\n")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def odd() -> Iterator[Registration]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Odd) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield Registration(f"http://127.0.0.1:{server.server_port}", HOME, "c" * 32, "secret")
        server.shutdown()


def test_the_code_goes_out_as_multipart(odd: Registration) -> None:
    """D9: as the document's curl -F does."""
    answer = exchange.token_for(odd, "the code")
    assert answer.status == 200 and answer.field("access_token") is None and answer.pretty() == answer.body
    for name, value in (
        ("client_secret", "secret"),
        ("code", "the code"),
        ("redirect_uri", f"{HOME}/callback"),
    ):
        assert f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' in answer.body


def test_an_answer_that_is_not_http(odd: Registration) -> None:
    with pytest.raises(OSError, match="nonsense"):
        exchange.profile(odd, "token")


def test_an_answer_of_json_that_is_no_object() -> None:
    assert Answer(200, "[1]").field("access_token") is None
    assert Answer(400, '{"access_token": "x"}').field("access_token") is None


def test_the_curl_command_can_be_pasted_but_for_the_secret() -> None:
    command = exchange.curl(SHOP, "it's")
    assert command.endswith("http://id.example:8000/oauth/access_token")
    assert "very_secret" not in command and "code=its'" in command
