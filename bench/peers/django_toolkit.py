"""django-oauth-toolkit as its tutorial sets it up, on SQLite; client secrets kept plain.

By default it keeps them as PBKDF2 hashes, which leaves four exchanges a second.
django_toolkit.py fills the database that DATABASE names; as a WSGI module it is `django_toolkit:application`.
"""

import os
from datetime import timedelta
from pathlib import Path

import django
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.urls import include, path

BROWSERS = 8
LOGIN = '<form method="post">{% csrf_token %}{{ form.as_p }}<button type="submit">Log in</button></form>'
LOADERS = [
    ("django.template.loaders.locmem.Loader", {"login.html": LOGIN}),
    "django.template.loaders.app_directories.Loader",
]
AROUND = ("django.template.context_processors.request", "django.contrib.auth.context_processors.auth")
KEY = Path(os.environ["DATABASE"] + ".pem")
if not KEY.exists():
    form = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    KEY.write_bytes(rsa.generate_private_key(65537, 2048).private_bytes(*form))
OAUTH = {
    "SCOPES": {"read": "Read your profile", "openid": "Know who you are", "introspection": "Look at tokens"},
    "DEFAULT_SCOPES": ["read"],
    "OIDC_ENABLED": True,
    "OIDC_RSA_PRIVATE_KEY": KEY.read_text(),
    "REFRESH_TOKEN_EXPIRE_SECONDS": 86400,
}
DATABASE = {
    "ENGINE": "django.db.backends.sqlite3",
    "NAME": os.environ["DATABASE"],
    "CONN_MAX_AGE": 600,
    "OPTIONS": {
        "timeout": 20,
        "transaction_mode": "IMMEDIATE",
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;",
    },
}
settings.configure(
    SECRET_KEY="bench",
    ALLOWED_HOSTS=["*"],
    ROOT_URLCONF=__name__,
    USE_TZ=True,
    LOGIN_URL="/login/",
    DEFAULT_AUTO_FIELD="django.db.models.BigAutoField",
    INSTALLED_APPS=[
        "django.contrib.contenttypes",
        "django.contrib.auth",
        "django.contrib.sessions",
        "django.contrib.messages",
        "oauth2_provider",
    ],
    MIDDLEWARE=[
        "django.middleware.security.SecurityMiddleware",
        "django.contrib.sessions.middleware.SessionMiddleware",
        "django.middleware.common.CommonMiddleware",
        "django.middleware.csrf.CsrfViewMiddleware",
        "django.contrib.auth.middleware.AuthenticationMiddleware",
    ],
    TEMPLATES=[
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "OPTIONS": {"loaders": LOADERS, "context_processors": AROUND},
        }
    ],
    DATABASES={"default": DATABASE},
    LOGGING={"version": 1, "disable_existing_loggers": True},
    OAUTH2_PROVIDER=OAUTH,
)
django.setup()

from django.contrib.auth.views import LoginView  # noqa: E402

urlpatterns = [
    path("o/", include("oauth2_provider.urls", namespace="oauth2_provider")),
    path("login/", LoginView.as_view(template_name="login.html")),
]
application = get_wsgi_application()


def fill() -> None:
    """People who have said yes before: to the toolkit that is a living token with the same scopes."""
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.utils import timezone
    from oauth2_provider.models import get_access_token_model, get_application_model

    call_command("migrate", verbosity=0)
    users = [User.objects.create_user(f"user{number}", password="pw") for number in range(BROWSERS)]
    app = get_application_model().objects.create(
        name="bench",
        client_id="bench",
        client_secret="bench-secret",
        hash_client_secret=False,
        client_type="confidential",
        authorization_grant_type="authorization-code",
        redirect_uris="https://rp.test/cb",
        algorithm="RS256",
        user=users[0],
    )
    tomorrow = timezone.now() + timedelta(days=1)
    for user in users:
        about = {"user": user, "application": app, "token": f"before-{user.pk}", "scope": "read openid"}
        get_access_token_model().objects.create(expires=tomorrow, **about)


if __name__ == "__main__":
    fill()
