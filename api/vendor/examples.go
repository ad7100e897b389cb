package vendor

import (
	"bytes"
	"embed"
	"encoding/json"
)

// examples are the documents' examples, as requests and answers.
//
//go:embed examples/*.json
var examples embed.FS

// example is one of them.
func example(name string) json.RawMessage {
	text, err := examples.ReadFile("examples/" + name + ".json")
	if err != nil {
		panic(err) // every name is written in this package
	}
	return bytes.TrimSpace(text)
}

// v3ListExample is a page of one account.
func v3ListExample() json.RawMessage {
	var one struct {
		Data json.RawMessage `json:"data"`
	}
	if err := json.Unmarshal(example("v3-account"), &one); err != nil {
		panic(err) // it is embedded, and a test reads it
	}
	const path = "/api/v3/resellers/1/accounts?page%5Bnumber%5D=1&page%5Bsize%5D=50"
	page := struct {
		Data  []json.RawMessage `json:"data"`
		Links v3Links           `json:"links"`
		Meta  v3Meta            `json:"meta"`
	}{[]json.RawMessage{one.Data}, v3Links{Self: path, First: path, Last: path}, v3Meta{Total: 1, Pages: 1}}
	text, err := json.Marshal(page)
	if err != nil {
		panic(err) // it is made of JSON
	}
	return text
}
