"""What a resource owner meets: pages of the account, login, and the confirmation screen."""

from starlette.routing import BaseRoute

from valetkey.web.pages import connected_apps, device, home, login, profile, sessions, theme

ROUTES: list[BaseRoute] = [
    *home.ROUTES,
    *theme.ROUTES,
    *login.ROUTES,
    *profile.ROUTES,
    *sessions.ROUTES,
    *connected_apps.ROUTES,
    *device.ROUTES,
]
