"""Authlib's Flask authorization server in the shape of its documentation, on SQLAlchemy and SQLite.

authlib_flask.py fills the database that DATABASE names; as a WSGI module it is `authlib_flask:app`.
"""

import os
import time
from typing import Any
from urllib.parse import quote

from authlib.integrations.flask_oauth2 import AuthorizationServer, ResourceProtector, current_token
from authlib.integrations.sqla_oauth2 import (
    OAuth2AuthorizationCodeMixin,
    OAuth2ClientMixin,
    OAuth2TokenMixin,
    create_bearer_token_validator,
    create_query_client_func,
    create_save_token_func,
)
from authlib.oauth2.rfc6749 import grants
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oauth2.rfc7662 import IntrospectionEndpoint
from flask import Flask, jsonify, redirect, request, session
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import event

BROWSERS = 8
AUTH_METHODS = ["client_secret_basic", "client_secret_post"]
BUTTON = '<form method="post"><input type="submit" name="allow" value="allow"></form>'
app = Flask(__name__)
app.config.update(SECRET_KEY="bench", SQLALCHEMY_DATABASE_URI=f"sqlite:///{os.environ['DATABASE']}")
db = SQLAlchemy(app)


class User(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    username = db.Column(db.String(40), unique=True)

    def get_user_id(self) -> Any:
        return self.id


class Client(db.Model, OAuth2ClientMixin):
    id = db.Column(db.Integer, primary_key=True)


class Code(db.Model, OAuth2AuthorizationCodeMixin):
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id"))
    user = db.relationship("User")


class Token(db.Model, OAuth2TokenMixin):
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer, db.ForeignKey("user.id"))
    user = db.relationship("User")


class Consent(db.Model):
    id = db.Column(db.Integer, primary_key=True)
    user_id = db.Column(db.Integer)
    client_id = db.Column(db.String(48))


class CodeGrant(grants.AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = AUTH_METHODS

    def save_authorization_code(self, code: str, request: Any) -> Code:
        asked = request.payload
        kept = Code(
            code=code,
            client_id=request.client.client_id,
            redirect_uri=asked.redirect_uri,
            scope=asked.scope,
            user_id=request.user.id,
            code_challenge=asked.data.get("code_challenge"),
            code_challenge_method=asked.data.get("code_challenge_method"),
        )
        db.session.add(kept)
        db.session.commit()
        return kept

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        found = Code.query.filter_by(code=code, client_id=client.client_id).first()
        return found if found and not found.is_expired() else None

    def delete_authorization_code(self, authorization_code: Code) -> None:
        db.session.delete(authorization_code)
        db.session.commit()

    def authenticate_user(self, authorization_code: Code) -> User | None:
        return db.session.get(User, authorization_code.user_id)


class Introspection(IntrospectionEndpoint):
    CLIENT_AUTH_METHODS = AUTH_METHODS

    def query_token(self, token_string: str, token_type_hint: str | None) -> Token | None:
        return Token.query.filter_by(access_token=token_string).first()

    def introspect_token(self, token: Token) -> dict[str, Any]:
        times = {"iat": token.issued_at, "exp": token.issued_at + token.expires_in}
        about = {"client_id": token.client_id, "scope": token.get_scope(), "sub": str(token.user_id)}
        return {"active": True, "token_type": token.token_type, **about, **times}

    def check_permission(self, token: Token, client: Client, request: Any) -> bool:
        return True


server = AuthorizationServer(
    app,
    query_client=create_query_client_func(db.session, Client),
    save_token=create_save_token_func(db.session, Token),
)
server.register_grant(CodeGrant, [CodeChallenge(required=False)])
server.register_endpoint(Introspection)
protected = ResourceProtector()
protected.register_token_validator(create_bearer_token_validator(db.session, Token)())

with app.app_context():

    @event.listens_for(db.engine, "connect")
    def durable(connection: Any, _: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=20000"):
            connection.execute(f"PRAGMA {pragma}")


def somebody() -> User | None:
    return db.session.get(User, session["id"]) if "id" in session else None


@app.route("/login", methods=["GET", "POST"])
def login() -> Any:
    if request.method == "GET":
        return BUTTON.replace('name="allow"', 'name="go"').replace(
            "<input", '<input name="username"><input', 1
        )
    session["id"] = User.query.filter_by(username=request.form["username"]).first().id
    return redirect(request.args["next"])


@app.route("/authorize", methods=["GET", "POST"])
def authorize() -> Any:
    user = somebody()
    if user is None:
        return redirect("/login?next=" + quote(request.full_path))
    grant = server.get_consent_grant(end_user=user)
    asked = {"user_id": user.id, "client_id": grant.client.client_id}
    if request.method == "POST":
        db.session.add(Consent(**asked))
        db.session.commit()
    elif not Consent.query.filter_by(**asked).first():
        return BUTTON
    return server.create_authorization_response(grant_user=user, grant=grant)


@app.post("/token")
def token() -> Any:
    return server.create_token_response()


@app.post("/introspect")
def introspect() -> Any:
    return server.create_endpoint_response("introspection")


@app.get("/me")
@protected("read")
def me() -> Any:
    return jsonify(id=current_token.user.id, username=current_token.user.username)


def fill() -> None:
    db.create_all()
    db.session.add_all(User(username=f"user{number}") for number in range(BROWSERS))
    client = Client(client_id="bench", client_secret="bench-secret", client_id_issued_at=int(time.time()))
    about = {"redirect_uris": ["https://rp.test/cb"], "scope": "read", "response_types": ["code"]}
    grant = {"grant_types": ["authorization_code"], "token_endpoint_auth_method": "client_secret_post"}
    client.set_client_metadata({**about, **grant})
    db.session.add(client)
    db.session.commit()


if __name__ == "__main__":
    with app.app_context():
        fill()
