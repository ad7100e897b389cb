package access

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"strings"
)

// Scope is what a token may do. The bits do not include one another.
type Scope uint8

// The scopes.
const (
	Read   Scope = 1 << iota // read accounts, records, the price book
	Feed                     // send usage
	Manage                   // change anything
)

var scopeNames = []struct {
	scope Scope
	name  string
}{{Read, "read"}, {Feed, "feed"}, {Manage, "manage"}}

// Names are the names of the scopes in s.
func (s Scope) Names() []string {
	names := []string{}
	for _, n := range scopeNames {
		if s&n.scope != 0 {
			names = append(names, n.name)
		}
	}
	return names
}

// String is the names with blanks between them.
func (s Scope) String() string { return strings.Join(s.Names(), " ") }

// MarshalText is String.
func (s Scope) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// UnmarshalText reads the name of one scope.
func (s *Scope) UnmarshalText(text []byte) error {
	for _, n := range scopeNames {
		if string(text) == n.name {
			*s = n.scope
			return nil
		}
	}
	return fmt.Errorf("scope %q: it is read, feed or manage", text)
}

const (
	prefix      = "chg_"
	idBytes     = 9  // 12 letters
	secretBytes = 32 // 256 bits: no hash of it can be searched
	textMax     = 128
)

// Made is a new token.
type Made struct {
	Text string // what its owner sends; shown once
	ID   string
	Hash [32]byte
}

// Make makes a token up.
func Make() (Made, error) {
	b := make([]byte, idBytes+secretBytes)
	if _, err := rand.Read(b); err != nil {
		return Made{}, fmt.Errorf("make a token: %w", err)
	}
	id, secret := letters(b[:idBytes]), letters(b[idBytes:])
	return Made{Text: prefix + id + "_" + secret, ID: id, Hash: sha256.Sum256([]byte(secret))}, nil
}

// letters are bytes without a character that a shell or an address would mind,
// and without the underscore that parts a token.
func letters(b []byte) string {
	return strings.NewReplacer("_", ".").Replace(base64.RawURLEncoding.EncodeToString(b))
}

// parse takes a token apart; ok is false where it has not the shape of one.
func parse(text string) (id string, hash [32]byte, ok bool) {
	rest, ok := strings.CutPrefix(text, prefix)
	id, secret, parted := strings.Cut(rest, "_")
	if !ok || !parted || len(text) > textMax || len(id) != base64.RawURLEncoding.EncodedLen(idBytes) {
		return "", hash, false
	}
	return id, sha256.Sum256([]byte(secret)), true
}
