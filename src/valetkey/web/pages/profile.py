"""What people say about themselves, and their password."""

from msgspec.structs import replace
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from valetkey.protocol.model import Account
from valetkey.server import accounts
from valetkey.server.accounts import ProfileForm
from valetkey.server.login import SignedIn
from valetkey.server.problems import Problems
from valetkey.web import guard
from valetkey.web.guard import server_of
from valetkey.web.pages.forms import Errors, back_to, done_words, password_wrong, said, signed_in_only
from valetkey.web.render import page

EDIT = "/accounts/edit/"
LABELS = {
    "full_name": ("full_name", "Name"),
    "bio": ("bio", "Bio"),
    "website": ("website", "Website"),
    "email": ("email", "E-mail address"),
    "picture": ("picture", "The file"),
    "password": ("new", "The new password"),
}


def filled(account: Account) -> ProfileForm:
    """The profile form as the account stands."""
    return ProfileForm(account.full_name, account.email, account.bio, account.website)


def profile_page(
    request: Request, account: Account, form: ProfileForm, errors: Errors | None = None
) -> Response:
    """/accounts/edit/ as a page."""
    shown = {name: getattr(form, name) for name in form.__struct_fields__}
    facts: dict[str, object] = {"account": account, "form": shown, "errors": errors or {}}
    facts |= {"here": EDIT, "area": "account", "done": "" if errors else done_words(request)}
    return page(request, "account/profile.html", facts, 400 if errors else 200)


@signed_in_only
async def edit(request: Request, who: SignedIn) -> Response:
    """/accounts/edit/"""
    form = filled(who.account)
    if request.method != "POST":
        return profile_page(request, who.account, form)
    given = await guard.read_form(request)
    form = replace(form, **{name: given.get(name) or "" for name in ("full_name", "bio", "website")})
    return await save(request, who, form, "saved")


async def save(request: Request, who: SignedIn, form: ProfileForm, done: str) -> Response:
    """Save the profile, or say what is wrong with it."""
    try:
        await accounts.edit_profile(server_of(request), who.account, form)
    except Problems as problems:
        return profile_page(request, who.account, form, said(problems, LABELS))
    return back_to(EDIT, done)


@signed_in_only
async def email(request: Request, who: SignedIn) -> Response:
    """POST /accounts/email/: the address is a way back into the account, so the password is asked for again (G7)."""
    given = await guard.read_form(request)
    form = replace(filled(who.account), email=given.get("email") or "")
    if not form.email:
        return profile_page(request, who.account, form, {"email": "E-mail address is missing."})
    wrong = await password_wrong(request, who, given.get("password"))
    if wrong:
        return profile_page(request, who.account, form, {"password": wrong})
    return await save(request, who, form, "email")


@signed_in_only
async def picture(request: Request, who: SignedIn) -> Response:
    """POST /accounts/picture/: a file, or the wish to have none."""
    given, data = await guard.read_upload(request, "picture")
    server = server_of(request)
    try:
        if given.get("remove"):
            await accounts.remove_picture(server, who.account)
        elif data:
            await accounts.set_picture(server, who.account, data)
        else:
            raise Problems(picture="is missing")
    except Problems as problems:
        return profile_page(request, who.account, filled(who.account), said(problems, LABELS))
    return back_to(EDIT, "picture")


@signed_in_only
async def password(request: Request, who: SignedIn) -> Response:
    """/accounts/password/change/"""
    server = server_of(request)
    errors: Errors = {}
    if request.method == "POST":
        given = await guard.read_form(request)
        wrong = await password_wrong(request, who, given.get("current"))
        try:
            if not wrong:
                await accounts.change_password(server, who, given.get("new") or "")
                return back_to(EDIT, "password")
            errors = {"current": wrong}
        except Problems as problems:
            errors = said(problems, LABELS)
    shortest = server.settings.accounts.password_length
    facts = {"account": who.account, "area": "account", "shortest": shortest, "errors": errors}
    return page(request, "account/password.html", facts, 400 if errors else 200)


ROUTES = [
    Route(EDIT, edit, methods=["GET", "POST"]),
    Route("/accounts/email/", email, methods=["POST"]),
    Route("/accounts/picture/", picture, methods=["POST"]),
    Route("/accounts/password/change/", password, methods=["GET", "POST"]),
]
