"""An authorization server of one screen, as other people's look to the bench: small_peer.py PORT."""

import itertools
import json
import sys
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, urlsplit

PAGE = (
    '<form method="post" action="{}"><input type="hidden" name="kept" value="{}">{}<button>Go</button></form>'
)
NAME, YES = (
    '<input name="username">',
    '<button name="no">No</button><button name="allow" value="1">Yes</button>',
)
numbers = itertools.count()
codes: dict[str, str] = {}
tokens: dict[str, str] = {}
agreed: set[str] = set()


class Answers(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def who(self) -> str:
        return (self.headers["Cookie"] or "").removeprefix("who=")

    def form(self) -> dict[str, str]:
        text = self.rfile.read(int(self.headers["Content-Length"])).decode()
        return {name: values[0] for name, values in parse_qs(text).items()}

    def answer(self, status: int, body: str, *headers: tuple[str, str]) -> None:
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body.encode())

    def give_code(self) -> None:
        code = f"code{next(numbers)}"
        codes[code] = self.who()
        state = parse_qs(urlsplit(self.path).query).get("state", [""])[0]
        self.answer(303, "", ("Location", f"https://rp.test/cb?code={code}&state={state}"))

    def do_GET(self) -> None:
        if self.path.startswith("/me"):
            token = self.headers["Authorization"].removeprefix("Bearer ")
            self.answer(200 if token in tokens else 401, json.dumps({"who": tokens.get(token)}))
        elif not self.who():
            self.answer(200, PAGE.format("", "a", NAME))
        elif self.who() not in agreed:
            self.answer(200, PAGE.format("", "b", YES))
        else:
            self.give_code()

    def do_POST(self) -> None:
        form = self.form()
        if self.path == "/token":
            who = codes.pop(form["code"], None)
            tokens[f"token of {form['code']}"] = who or ""
            said = {"access_token": f"token of {form['code']}"} if who else {"error": "invalid_grant"}
            self.answer(200 if who else 400, json.dumps(said))
        elif "username" in form and form["kept"] == "a":
            self.answer(303, "", ("Set-Cookie", f"who={form['username']}; Path=/"), ("Location", self.path))
        elif form == {"kept": "b", "allow": "1"}:
            agreed.add(self.who())
            self.give_code()
        else:
            self.answer(400, json.dumps(form))

    def log_message(self, *_: object) -> None: ...


if __name__ == "__main__":
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Answers).serve_forever()
