"""Every page there is, in every state that looks different, and how somebody comes to see it."""

import json
import secrets
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx2

from tests.browser.pictures import png
from tests.browser.platform import App, Person, Platform
from tests.browser.printer import Printer
from tests.browser.visitor import Visitor
from valetkey.protocol.changes import Save
from valetkey.protocol.model import NOBODY, Client, Consent, Notice, Registration
from valetkey.server import accounts, clients
from valetkey.server.accounts import ProfileForm

EVERY_SCOPE = "basic public_content follower_list comments relationships likes"
DEVICE_FLOW = Registration(grant_types=("urn:ietf:params:oauth:grant-type:device_code",))
CHALLENGE = {"code_challenge": "E" * 43, "code_challenge_method": "S256"}
ELSEWHERE = "https://" + "holiday-photos." * 4 + "example/api/v1"
LONG_NAME = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamte"[:64]


@dataclass(frozen=True)
class Scene:
    """Somebody at a page, and what they may need on the way."""

    visitor: Visitor
    platform: Platform
    printer: Printer
    person: Person

    async def enter(self) -> None:
        """Log in, without the form."""
        token = await self.platform.session(self.person)
        await self.visitor.page.context.add_cookies(
            [{"name": "valetkey", "value": token, "url": self.platform.base}]
        )

    async def app(self, owner: Person | None = None, **form: Any) -> App:
        """Somebody else's app."""
        return await self.platform.app(self.printer.back, owner, **{"name": "Photo Prints"} | form)

    async def own_app(self, **form: Any) -> str:
        """An app of this person: the address of its page in the console."""
        app = await self.app(self.person, **form)
        return f"/developer/apps/{app.id}/"

    async def used_twice(self, client_id: str) -> None:
        """A refresh token of this person's was used twice: they are told, and so is the app's developer."""
        now = self.platform.server.clock()
        key = self.platform.server.mint.authorization_id(now)
        told = Notice(key, self.person.account.id, client_id, "refresh_reused", now - 86400)
        await self.platform.server.store.apply((Save(told),))

    async def submit(self, path: str, within: str, button: str, **fields: str) -> None:
        """Fill in a form by the names of its fields and send it past what the browser itself would refuse."""
        await self.enter()
        await self.visitor.open(path)
        form = self.visitor.find(within)
        await form.evaluate("form => form.noValidate = true")
        for name, text in fields.items():
            await form.locator(f"[name={name}]:not([type=hidden])").first.fill(text)
        await self.visitor.press(button, within)


async def home(scene: Scene) -> None:
    await scene.visitor.open("/")


async def home_of_somebody(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open("/")


async def login(scene: Scene) -> None:
    await scene.visitor.open("/accounts/login/")


async def login_for_an_app(scene: Scene) -> None:
    await scene.visitor.open((await scene.app()).asks())


async def login_refused(scene: Scene) -> None:
    await login(scene)
    await scene.visitor.log_in(scene.person.username, "something else")


async def login_again(scene: Scene) -> None:
    await scene.enter()
    await login(scene)


async def logged_out(scene: Scene) -> None:
    await home_of_somebody(scene)
    await scene.visitor.press("Log out")


async def sign_up(scene: Scene) -> None:
    await scene.visitor.open("/accounts/signup/")


async def sign_up_refused(scene: Scene) -> None:
    path = "/accounts/signup/"
    fields = {"username": "two words", "full_name": "Zoë", "email": "nobody", "password": "short"}
    await scene.submit(path, f"form[action='{path}']", "Create account", **fields)


async def consent(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open((await scene.app()).asks(scope=EVERY_SCOPE))


async def consent_to_more(scene: Scene) -> None:
    await scene.enter()
    app = await scene.app(name=LONG_NAME, sandbox=True, owner=scene.person)
    await scene.visitor.open(app.asks())
    await scene.visitor.press("Allow")
    await scene.visitor.open(app.asks(scope="basic likes"))


async def consent_with_a_choice(scene: Scene) -> None:
    await scene.enter()
    may = Registration(optional_scope=("public_content", "comments", "likes"))
    app = await scene.app(profile="oauth20", registered=may)
    await scene.visitor.open(app.asks(scope=EVERY_SCOPE))


async def consent_in_detail(scene: Scene) -> None:
    await scene.enter()
    pays = {"type": "payment", "amount": "12.50 EUR", "creditor": LONG_NAME, "note": "holiday photos"}
    asked = json.dumps([pays, {"type": "payment", "actions": ["x" * 80]}])
    app = await scene.app(profile="oauth20")
    await scene.visitor.open(app.asks(authorization_details=asked, resource=ELSEWHERE))
    await scene.visitor.page.locator("summary").first.click()


async def login_once_more(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open((await scene.app(profile="oauth20")).asks(prompt="login"))


async def consent_to_a_browser_app(scene: Scene) -> None:
    await scene.enter()
    app = await scene.app(type="spa", allow_implicit=True)
    await scene.visitor.open(app.asks(response_type="token"))


async def stranger(scene: Scene, client_id: str, redirect_uri: str) -> str:
    """An app that made itself known, and what it asks for."""
    now = scene.platform.server.clock()
    client = Client(client_id, NOBODY, "Helpful agent", "native", "oauth21", (redirect_uri,), now)
    await scene.platform.server.store.apply((Save(client),))
    asked = {
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": "basic likes",
    }
    return "/oauth/authorize?" + urlencode(asked | CHALLENGE)


async def consent_to_a_published_app(scene: Scene) -> None:
    await scene.enter()
    address = f"https://agents.{secrets.token_hex(8)}.example/oauth/client-metadata.json"
    await scene.visitor.open(await stranger(scene, address, "http://127.0.0.1:50123/callback"))


async def consent_to_an_app_that_registered_itself(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open(await stranger(scene, secrets.token_hex(16), f"{scene.printer.base}/callback"))


async def connected_to_a_stranger(scene: Scene) -> None:
    await scene.enter()
    address = f"https://agents.{secrets.token_hex(8)}.example/oauth/client-metadata.json"
    for client_id in (address, secrets.token_hex(16)):
        await stranger(scene, client_id, "http://127.0.0.1:50123/callback")
        account = scene.person.account.id
        now = scene.platform.server.clock()
        there = (("https://albums.example/", ("basic",)), (ELSEWHERE, ("basic", "likes")))
        said = Consent(account, client_id, ("basic", "likes"), now, resource=there)
        await scene.platform.server.store.apply((Save(said),))
    await scene.visitor.open("/accounts/manage_access/")


async def device_code(scene: Scene, **more: str) -> str:
    """The code that a device of somebody else's app shows."""
    app = await scene.app(type="native", profile="oauth21", registered=DEVICE_FLOW)
    async with httpx2.AsyncClient(trust_env=False) as http:
        url = f"{scene.platform.base}/oauth/device_authorization"
        answer = await http.post(url, data={"client_id": app.id} | more)
    code: str = answer.json()["user_code"]
    return code


async def login_for_a_device(scene: Scene) -> None:
    await scene.visitor.open("/device?user_code=WDJB-MJHT")


async def device(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open("/device")


async def device_with_its_code(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open("/device?user_code=WDJB-MJHT")


async def device_refused(scene: Scene) -> None:
    await device_with_its_code(scene)
    await scene.visitor.press("Continue")


async def device_consent(scene: Scene) -> None:
    await scene.enter()
    pays = json.dumps([{"type": "payment", "amount": "12.50 EUR", "creditor": LONG_NAME}])
    code = await device_code(scene, scope=EVERY_SCOPE, resource=ELSEWHERE, authorization_details=pays)
    await scene.visitor.open(f"/device?user_code={code}")
    await scene.visitor.press("Continue")


async def device_connected(scene: Scene) -> None:
    await device_consent(scene)
    await scene.visitor.press("Allow")


async def device_denied(scene: Scene) -> None:
    await device_consent(scene)
    await scene.visitor.press("Deny")


async def answered_before(scene: Scene) -> None:
    await consent(scene)
    page = scene.visitor.page
    form = await page.evaluate("Object.fromEntries(new FormData(document.querySelector('main form')))")
    await scene.visitor.press("Deny")
    await scene.visitor.open("/")
    await page.evaluate(
        """(fields) => {
          const form = Object.assign(document.createElement("form"), {method: "post"});
          form.action = "/oauth/authorize/consent";
          for (const [name, value] of Object.entries(fields))
            form.append(Object.assign(document.createElement("input"), {type: "hidden", name, value}));
          document.querySelector("main").append(form);
          form.append(Object.assign(document.createElement("button"), {textContent: "Again"}));
        }""",
        form | {"decision": "allow"},
    )
    await scene.visitor.press("Again")


async def bad_redirect_uri(scene: Scene) -> None:
    app = await scene.app()
    await scene.visitor.open(app.asks(redirect_uri=scene.printer.base + "/elsewhere"))


async def unknown_app(scene: Scene) -> None:
    await scene.visitor.open("/oauth/authorize/?client_id=nobody&redirect_uri=https://a.example/")


async def app_in_development(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open((await scene.app(sandbox=True)).asks())


async def not_found(scene: Scene) -> None:
    await scene.visitor.open("/nothing/here")


async def profile(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open("/accounts/edit/?done=saved")


async def profile_filled(scene: Scene) -> None:
    await accounts.set_picture(scene.platform.server, scene.person.account, png())
    form = ProfileForm(
        LONG_NAME, "zoe@example.org", "I take pictures.\nMostly of harbours.", "https://example.org"
    )
    await accounts.edit_profile(scene.platform.server, scene.person.account, form)
    await scene.enter()
    await scene.visitor.open("/accounts/edit/")


async def profile_refused(scene: Scene) -> None:
    path = "/accounts/edit/"
    await scene.submit(path, f"form[action='{path}']", "Save", website="not an address")


async def email_refused(scene: Scene) -> None:
    form = "form[action='/accounts/email/']"
    await scene.submit("/accounts/edit/", form, "Change e-mail", email="me@example.org", password="wrong")


async def password(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open("/accounts/password/change/")


async def password_refused(scene: Scene) -> None:
    path, right = "/accounts/password/change/", scene.person.password
    await scene.submit(path, f"form[action='{path}']", "Change password", current=right, new="short")


async def sessions(scene: Scene) -> None:
    await scene.platform.session(
        scene.person, "Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari/605"
    )
    await scene.enter()
    await scene.visitor.open("/accounts/sessions/")


async def no_connected_apps(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open("/accounts/manage_access/")


async def connected_apps(scene: Scene) -> None:
    await scene.enter()
    for app in (await scene.app(website="https://prints.example"), await scene.app(name=LONG_NAME)):
        await scene.visitor.open(app.asks(scope="basic comments"))
        await scene.visitor.press("Allow")
    await scene.used_twice(app.id)
    await scene.visitor.open("/accounts/manage_access/")


async def no_apps(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open("/developer/")


async def apps(scene: Scene) -> None:
    await scene.own_app()
    await scene.own_app(name=LONG_NAME, sandbox=True)
    await no_apps(scene)


async def register(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open("/developer/register/")


async def register_refused(scene: Scene) -> None:
    path = "/developer/register/"
    await scene.submit(path, f"form[action='{path}']", "Register", redirect_uris="https://*.example.org/")


async def secret(scene: Scene) -> None:
    await register(scene)
    await scene.visitor.fill("Name", "Photo Prints")
    await scene.visitor.fill("Redirect URIs", scene.printer.back)
    await scene.visitor.press("Register")


async def one_app(scene: Scene) -> None:
    app = await scene.app(scene.person, description="Prints on paper.", sandbox=True)
    server, owner = scene.platform.server, scene.person.account
    await clients.add_tester(server, owner, app.id, app.owner.username)
    await clients.rotate_secret(server, owner, app.id, 86400)
    await scene.used_twice(app.id)
    await scene.enter()
    await scene.visitor.open(f"/developer/apps/{app.id}/?check={scene.printer.base}/bake%3Fshop%3D7")
    await scene.visitor.find("#checker summary").click()


async def one_app_in_full(scene: Scene) -> None:
    await scene.enter()
    await scene.visitor.open(await scene.own_app(profile="oauth21"))
    await scene.visitor.find("#settings summary").click()


async def one_app_wrongly_in_full(scene: Scene) -> None:
    path = await scene.own_app(profile="oauth21", registered=Registration(scope=("basic",)))
    await scene.enter()
    await scene.visitor.open(path)
    await scene.visitor.find("#settings summary").click()
    await scene.visitor.fill("Optional scopes (optional)", "likes", "#settings")
    await scene.visitor.fill("Keys (optional)", "{}", "#settings")
    await scene.visitor.press("Save settings", "#settings")


async def one_browser_app(scene: Scene) -> None:
    path = await scene.own_app(name=LONG_NAME, type="spa", allow_implicit=True)
    await scene.enter()
    await scene.visitor.open(path)


async def one_app_refused(scene: Scene) -> None:
    path = await scene.own_app()
    await scene.submit(path, "#delete form", "Delete for ever", confirm="another", password="wrong")


async def one_app_badly_edited(scene: Scene) -> None:
    path = await scene.own_app()
    await scene.submit(path, "#settings form", "Save settings", name="", redirect_uris="javascript:alert(1)")


SCENES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    scene.__name__: scene
    for scene in (
        home, home_of_somebody, login, login_for_an_app, login_refused, login_again, logged_out, sign_up,
        sign_up_refused, consent, consent_to_more, consent_with_a_choice, consent_in_detail, login_once_more,
        consent_to_a_browser_app, answered_before, bad_redirect_uri,
        login_for_a_device, device, device_with_its_code, device_refused, device_consent, device_connected,
        device_denied, consent_to_a_published_app, consent_to_an_app_that_registered_itself, connected_to_a_stranger,
        unknown_app, app_in_development, not_found, profile, profile_filled, profile_refused, email_refused,
        password, password_refused, sessions, no_connected_apps, connected_apps, no_apps, apps, register,
        register_refused, secret, one_app, one_app_in_full, one_app_wrongly_in_full, one_browser_app,
        one_app_refused, one_app_badly_edited,
    )
}  # fmt: skip
