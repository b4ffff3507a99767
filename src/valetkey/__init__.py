"""valetkey: a self-hosted OAuth 2.0 authorization server and developer-platform front door."""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from valetkey.server.authorization_server import AuthorizationServer
    from valetkey.settings import Settings
    from valetkey.web.app import create_app

HOMES = {
    "AuthorizationServer": "valetkey.server.authorization_server",
    "Settings": "valetkey.settings",
    "create_app": "valetkey.web.app",
}
__all__ = ["AuthorizationServer", "Settings", "__version__", "create_app"]


def __getattr__(name: str) -> Any:
    """Import what is asked for only then: `valetkey --help` must not wait for a web framework."""
    if name in HOMES:
        from importlib import import_module

        return getattr(import_module(HOMES[name]), name)
    raise AttributeError(name)
