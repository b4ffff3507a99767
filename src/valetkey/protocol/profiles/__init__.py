"""The profiles an app can live under: one record a file, one line here."""

from valetkey.protocol.profile import Profile
from valetkey.protocol.profiles.classic import CLASSIC
from valetkey.protocol.profiles.fapi2 import FAPI2
from valetkey.protocol.profiles.mcp import MCP
from valetkey.protocol.profiles.oauth20 import OAUTH20
from valetkey.protocol.profiles.oauth21 import OAUTH21

PROFILES: dict[str, Profile] = {profile.name: profile for profile in (CLASSIC, OAUTH20, OAUTH21, FAPI2, MCP)}
