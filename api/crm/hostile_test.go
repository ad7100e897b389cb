package crm

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
)

// Numbers that would have to be rounded, or are none (SPEC R2.1, R2.2).
func TestNumbersAreTakenByTheirExactText(t *testing.T) {
	h := newHouse(t, documented)
	const usage, money, percent = "accumulated_maximum_usage_per_day", "accumulated_maximum_rated_amount_per_day", percentageKey
	for _, c := range []struct{ key, value, want string }{
		{usage, `100000000000`, `"100000000000"`},
		{usage, `999999999999.999999999999`, `"999999999999.999999999999"`},
		{usage, `"0.000000000001"`, `"0.000000000001"`},
		{usage, `1e3`, `"1000"`},
		{usage, `"1.0000000"`, `"1"`},
		{usage, `0`, `"0"`},
		{usage, `-0`, `"0"`},
		{money, `999999999999.999999`, `"999999999999.999999"`},
		{money, `0.1`, `"0.1"`},
		{percent, `0.000001`, `0.000001`},
		{percent, `"999999999.999999"`, `999999999.999999`},
	} {
		a := h.set("OK", one, fmt.Sprintf("%q:%s", c.key, c.value))
		if !strings.Contains(string(a.Data), fmt.Sprintf("%q:%s,", c.key, c.want)) {
			t.Errorf("%s of %s: got %s", c.key, c.value, a.limits(t))
		}
	}
	before := h.show(one)
	for _, c := range []struct{ key, value, code string }{
		{usage, `1000000000000`, "INVALID_VALUE"},
		{usage, `0.0000000000001`, "INVALID_VALUE"},
		{money, `0.0000001`, "INVALID_VALUE"},
		{money, `1e999999999999`, "INVALID_VALUE"},
		{usage, `"1e1000000000"`, "INVALID_VALUE"},
		{usage, `1e-1000000000`, "INVALID_VALUE"},
		{percent, `1000000000`, "INVALID_VALUE"},
		{percent, `1e400`, "INVALID_VALUE"},
		{usage, `-1`, "INVALID_VALUE"},
		{money, `"-0.01"`, "INVALID_VALUE"},
		{percent, `-30`, "INVALID_VALUE"},
		{usage, `NaN`, "INVALID_JSON"},
		{usage, `"NaN"`, "INVALID_VALUE"},
		{money, `"Infinity"`, "INVALID_VALUE"},
		{usage, `+1`, "INVALID_JSON"},
		{usage, `"+1"`, "INVALID_VALUE"},
		{usage, `"1,5"`, "INVALID_VALUE"},
		{usage, `" 1"`, "INVALID_VALUE"},
		{usage, `"0x10"`, "INVALID_VALUE"},
		{usage, `""`, "INVALID_VALUE"},
		{usage, `true`, "INVALID_VALUE"},
		{usage, `[1]`, "INVALID_VALUE"},
		{usage, `{}`, "INVALID_VALUE"},
		{usage, `"1\u0000"`, "INVALID_VALUE"},
		{usage, `"` + strings.Repeat("9", 300) + `"`, "INVALID_VALUE"},
		{usage, strings.Repeat("9", 300_000), "INVALID_VALUE"},
		{blockKey, `2`, "INVALID_VALUE"},
		{blockKey, `"true"`, "INVALID_VALUE"},
		{blockKey, `1.0`, "INVALID_VALUE"},
		{creditKey, `"yes"`, "INVALID_VALUE"},
	} {
		a := h.set(c.code, one, fmt.Sprintf("%q:%s", c.key, c.value))
		if c.code == "INVALID_VALUE" && !strings.Contains(a.Status.Description, c.key) || len(a.Status.Description) > 300 {
			t.Errorf("%s of %.60s: got %q, want it short and to name the parameter", c.key, c.value, a.Status.Description)
		}
	}
	if got := h.show(one); got != before {
		t.Errorf("got\n%s\nwant\n%s", got, before)
	}
}

// Bodies that are no request at all, whether or not they have a token.
func TestHostileBodiesAreRefusedAndDoNoHarm(t *testing.T) {
	h := newHouse(t, documented)
	before := h.show(one)
	deep := func(n int) string { return strings.Repeat("[", n) + strings.Repeat("]", n) }
	many := `"usage_services_allowance":[` + strings.TrimSuffix(strings.Repeat(`{"service":{"code":"CREED"}},`, 1001), ",") + "]"
	for _, c := range []struct{ name, body, code string }{
		{"empty", "", "INVALID_JSON"},
		{"blank", " \n", "INVALID_JSON"},
		{"no JSON", "token=x", "INVALID_JSON"},
		{"cut off", h.asks(one)[:40], "INVALID_JSON"},
		{"two objects", h.asks(one) + h.asks(one), "INVALID_JSON"},
		{"a list", "[" + h.asks(one) + "]", "INVALID_JSON"},
		{"null", "null", "INVALID_JSON"},
		{"a text", `"x"`, "INVALID_JSON"},
		{"not UTF-8", "{\"token\":\"\xff\"}", "INVALID_JSON"},
		{"a comment", "{/* x */}", "INVALID_JSON"},
		{"nested 20,000 deep", `{"token":` + deep(20_000) + `}`, "INVALID_JSON"},
		{"a token that is none", `{"token":` + deep(9_000) + `}`, "INVALID_VALUE"},
		{"no token", `{"accounts_receivable_identifier":{"number":"` + one + `"}}`, "INVALID_TOKEN"},
		{"a token that is null", `{"token":null}`, "INVALID_TOKEN"},
		{"an unknown token", `{"token":"x"}`, "INVALID_TOKEN"},
		{"a token twice", `{"token":"x","token":"y"}`, "UNKNOWN_PARAMETER"},
		{"a token of a mebibyte", `{"token":"` + strings.Repeat("x", 1_000_000) + `"}`, "INVALID_VALUE"},
		{"nested deep within an entry", h.asks(one, entry(`"service":`+deep(9_000))), "INVALID_VALUE"},
		{"an unknown key, nested deep", h.asks(one, `"x":`+deep(9_000)), "UNKNOWN_PARAMETER"},
		{"a key with a line's end", h.asks(one, `"x\ny":1`), "UNKNOWN_PARAMETER"},
		{"a key of 100,000 bytes", h.asks(one, `"`+strings.Repeat("k", 100_000)+`":1`), "UNKNOWN_PARAMETER"},
		{"NUL in a number", h.asks("A\x00"), "INVALID_VALUE"},
		{"NUL in a code", h.asks(one, entry(`"service":{"code":"CREED\u0000"}`, `"maximum_usage_per_day":1`)), "INVALID_VALUE"},
		{"half a surrogate pair", h.asks(one, entry(`"service":{"code":"\ud800"}`, `"maximum_usage_per_day":1`)), "UNKNOWN_TARGET"},
		{"SQL in a name", strings.Replace(h.asks(one), `{"number":"`+one+`"}`, `{"name":"' or true; --"}`, 1), "ACCOUNT_NOT_FOUND"},
		{"blanks in a name", strings.Replace(h.asks(one), `{"number":"`+one+`"}`, `{"name":"`+strings.Repeat(" ", 256)+`"}`, 1), "ACCOUNT_NOT_FOUND"},
		{"more entries than are taken", h.asks(one, many), "TOO_LARGE"},
		{"100,000 entries", h.asks(one, strings.Replace(many, "[", "["+strings.Repeat(`{"service":{"code":"CREED"}},`, 99_000), 1)), "TOO_LARGE"},
	} {
		a := h.wants(c.code, h.send(http.MethodPost, limitsPath, c.body))
		if d := a.Status.Description; d == "" || len(d) > 400 || strings.ContainsAny(d, "\n\x00") {
			t.Errorf("%s: got %q, want a line that says why", c.name, d)
		}
		if strings.Contains(string(a.body), h.manager) {
			t.Errorf("%s: the answer tells the token: %s", c.name, a.body)
		}
	}
	if got := h.show(one); got != before {
		t.Errorf("got\n%s\nwant\n%s", got, before)
	}
}

// Row 69: limits of all accounts.
func TestLimitsOfAllAccountsAreNotSetForOne(t *testing.T) {
	h := newHouseOf(t, Options{LimitsForAll: true}, line(one))
	h.apply(`limits: {accumulated_maximum_usage_per_day: "7"}`)
	h.set("LIMITS_DEFINED_GLOBALLY", one, `"accumulated_maximum_usage_per_day":9`)
	h.set("LIMITS_DEFINED_GLOBALLY", one, entry(`"service":{"code":"CREED"}`, `"maximum_usage_per_day":1`))
	if got := h.show(one); got != `usage/day="7"` {
		t.Errorf("got %s, want the limits of all", got)
	}
	if got := figures(h.left(one), "remaining_usage_per_day"); got != "7" {
		t.Errorf("got %s, want 7", got)
	}
}

// Whose database is away is told to come again, and nothing of why.
func TestADatabaseThatIsAwayIsToldInACode(t *testing.T) {
	h := newHouse(t, documented)
	h.store.Close()
	a := h.set("UNAVAILABLE", one)
	if a.header.Get("Retry-After") != "1" || strings.Contains(a.Status.Description, "pool") {
		t.Errorf("got Retry-After %q and %q", a.header.Get("Retry-After"), a.Status.Description)
	}
}
