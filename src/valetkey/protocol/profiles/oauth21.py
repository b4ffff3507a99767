"""oauth21: as oauth20, with PKCE for everyone and no redirect_uri at the token endpoint (OAuth 2.1 draft 10)."""

from dataclasses import replace

from valetkey.protocol.profiles.oauth20 import OAUTH20

OAUTH21 = replace(OAUTH20, name="oauth21", pkce_required=True, redirect_again=False)
