// golang.org/x/oauth2, left to find out by itself how the server wants its secret: Basic first, then the body.
package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"golang.org/x/oauth2"
)

type config struct {
	Base         string `json:"base"`
	ClientID     string `json:"client_id"`
	ClientSecret string `json:"client_secret"`
	RedirectURI  string `json:"redirect_uri"`
	Scope        string `json:"scope"`
}

var lines = bufio.NewReader(os.Stdin)

func main() {
	var told config
	hear(&told)
	app := oauth2.Config{
		ClientID:     told.ClientID,
		ClientSecret: told.ClientSecret,
		RedirectURL:  told.RedirectURI,
		Scopes:       strings.Fields(told.Scope),
		Endpoint:     oauth2.Endpoint{AuthURL: told.Base + "/oauth/authorize", TokenURL: told.Base + "/oauth/token"},
	}
	state, verifier := random(), random()
	digest := sha256.Sum256([]byte(verifier))
	landed := visit(app.AuthCodeURL(state,
		oauth2.SetAuthURLParam("code_challenge", base64.RawURLEncoding.EncodeToString(digest[:])),
		oauth2.SetAuthURLParam("code_challenge_method", "S256")))
	if landed.Get("state") != state {
		panic("another state came back")
	}
	ctx := context.Background()
	token, err := app.Exchange(ctx, landed.Get("code"), oauth2.SetAuthURLParam("code_verifier", verifier))
	check(err)
	result := map[string]any{"token": answer(token), "api": call(ctx, app, token, told.Base)}
	// The library refreshes by itself what has expired.
	refreshed, err := app.TokenSource(ctx, &oauth2.Token{
		RefreshToken: token.RefreshToken, Expiry: time.Now().Add(-time.Minute),
	}).Token()
	check(err)
	result["refreshed"], result["refreshed_api"] = answer(refreshed), call(ctx, app, refreshed, told.Base)
	say(map[string]any{"result": result})
}

// The API call goes out of the client that x/oauth2 makes.
func call(ctx context.Context, app oauth2.Config, token *oauth2.Token, base string) int {
	response, err := app.Client(ctx, token).Get(base + "/v1/users/self")
	check(err)
	defer response.Body.Close()
	return response.StatusCode
}

// What of the server's answer x/oauth2 still knows.
func answer(token *oauth2.Token) map[string]any {
	return map[string]any{
		"access_token":  token.AccessToken,
		"token_type":    token.TokenType,
		"refresh_token": token.RefreshToken,
		"scope":         token.Extra("scope"),
		"expires_in":    token.Extra("expires_in"),
	}
}

func random() string {
	bytes := make([]byte, 32)
	_, err := rand.Read(bytes)
	check(err)
	return base64.RawURLEncoding.EncodeToString(bytes)
}

func visit(to string) url.Values {
	say(map[string]any{"visit": to})
	var back struct{ Landed string }
	hear(&back)
	where, err := url.Parse(back.Landed)
	check(err)
	return where.Query()
}

func hear(what any) {
	line, err := lines.ReadBytes('\n')
	check(err)
	check(json.Unmarshal(line, what))
}

func say(what any) {
	line, err := json.Marshal(what)
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
