"""What a developer meets: the console."""

from starlette.routing import BaseRoute

from valetkey.web.console import app, apps

ROUTES: list[BaseRoute] = [*apps.ROUTES, *app.ROUTES]
