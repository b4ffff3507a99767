// golang.org/x/oauth2/clientcredentials: without a person, and left to find out how the server wants its secret.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"strings"

	"golang.org/x/oauth2"
	"golang.org/x/oauth2/clientcredentials"
)

func main() {
	var told struct {
		Base         string `json:"base"`
		ClientID     string `json:"client_id"`
		ClientSecret string `json:"client_secret"`
		Scope        string `json:"scope"`
	}
	line, err := bufio.NewReader(os.Stdin).ReadBytes('\n')
	check(err)
	check(json.Unmarshal(line, &told))
	tokens := []map[string]any{}
	for _, style := range []oauth2.AuthStyle{oauth2.AuthStyleAutoDetect, oauth2.AuthStyleInParams} {
		app := clientcredentials.Config{
			ClientID:     told.ClientID,
			ClientSecret: told.ClientSecret,
			TokenURL:     told.Base + "/oauth/token",
			Scopes:       strings.Fields(told.Scope),
			AuthStyle:    style,
		}
		token, err := app.Token(context.Background())
		check(err)
		tokens = append(tokens, map[string]any{
			"access_token": token.AccessToken,
			"token_type":   token.TokenType,
			"scope":        token.Extra("scope"),
			"expires_in":   token.Extra("expires_in"),
		})
	}
	line, err = json.Marshal(map[string]any{"result": map[string]any{"tokens": tokens}})
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
