"""`valetkey conformance`: what the OpenID Foundation's conformance suite must be told to test this server."""
