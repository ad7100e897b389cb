package main

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/postgres"
)

type tokenCommand struct {
	Create tokenCreateCommand `cmd:"" help:"Make a token and print it, this once."`
	List   tokenListCommand   `cmd:"" help:"List tokens, those that have ended too."`
	Revoke tokenRevokeCommand `cmd:"" help:"End a token."`
}

// tokenView is a token as it is printed: without its secret.
type tokenView struct {
	postgres.Token
	Scopes   []string `json:"scopes"`
	Reseller *int64   `json:"reseller"` // nil: the whole installation
	Text     string   `json:"token,omitempty"`
}

func viewToken(k *postgres.Token) tokenView {
	v := tokenView{Token: *k, Scopes: access.Scope(k.Scopes).Names()} //nolint:gosec // three bits
	if k.Reseller != 0 {
		v.Reseller = &k.Reseller
	}
	return v
}

// expiry is when something ends: a time, or how long from now.
type expiry struct {
	at  time.Time
	in  time.Duration
	set bool
}

// UnmarshalText reads RFC 3339, a duration like 12h, or days like 90d.
func (e *expiry) UnmarshalText(text []byte) (err error) {
	e.set = true
	var moment instant
	if moment.UnmarshalText(text) == nil {
		e.at = moment.Time
		return nil
	}
	if days, is := strings.CutSuffix(string(text), "d"); is {
		var n uint16
		if n, err = parseDays(days); err == nil {
			e.in = time.Duration(n) * 24 * time.Hour
		}
	} else {
		e.in, err = time.ParseDuration(string(text))
	}
	if err != nil || e.in <= 0 {
		return fmt.Errorf("%q: write a time like 2027-03-01T10:00:00Z, or how long, like 90d or 12h", text)
	}
	return nil
}

func parseDays(text string) (uint16, error) {
	n, err := strconv.ParseUint(text, 10, 16)
	return uint16(n), err //nolint:gosec // ParseUint bounds it
}

// after is the end as of now; nil where there is none.
func (e expiry) after(now time.Time) (*time.Time, error) {
	if !e.set {
		return nil, nil
	}
	at := e.at
	if at.IsZero() {
		at = now.Add(e.in)
	}
	at = at.UTC().Truncate(time.Microsecond)
	if !at.After(now) {
		return nil, usage("--expires: %s is over already", moment(at))
	}
	return &at, nil
}
