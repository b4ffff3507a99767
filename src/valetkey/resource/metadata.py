"""What a server that takes tokens says of itself, and how it asks for one (RFC 9728 2, 3 and 5.1, RFC 6750 3)."""

from urllib.parse import urlsplit

from msgspec import Struct

WELL_KNOWN = "/.well-known/oauth-protected-resource"


class Resource(Struct, frozen=True):
    """A server that takes tokens: the address that they are asked for, who gives them out, the scopes there are."""

    uri: str
    issuer: str
    scopes: tuple[str, ...] = ()
    name: str = ""

    @property
    def metadata_path(self) -> str:
        """Where its metadata stands: the well-known part goes before its own path (RFC 9728 3.1)."""
        path = urlsplit(self.uri).path
        return WELL_KNOWN + ("" if path == "/" else path)

    @property
    def metadata_url(self) -> str:
        """The whole address of its metadata."""
        parts = urlsplit(self.uri)
        query = f"?{parts.query}" if parts.query else ""
        return f"{parts.scheme}://{parts.netloc}{self.metadata_path}{query}"

    def metadata(self) -> dict[str, object]:
        """The document (RFC 9728 2)."""
        said: dict[str, object] = {
            "resource": self.uri,
            "authorization_servers": [self.issuer],
            "bearer_methods_supported": ["header"],
        }
        if self.scopes:
            said["scopes_supported"] = list(self.scopes)
        if self.name:
            said["resource_name"] = self.name
        return said

    def challenge(self, error: str = "", words: str = "", scopes: tuple[str, ...] = ()) -> str:
        """The WWW-Authenticate header: where to read on (RFC 9728 5.1), what was wrong, what scopes would do."""
        parts = [f'resource_metadata="{self.metadata_url}"']
        if error:
            parts += [f'error="{error}"', f'error_description="{words}"']
        if scopes:
            parts.append(f'scope="{" ".join(scopes)}"')
        return "Bearer " + ", ".join(parts)
