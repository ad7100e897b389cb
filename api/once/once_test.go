package once

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// What is no key is refused before anything is asked or done.
func TestWhatIsNoKeyIsRefused(t *testing.T) {
	for _, c := range []struct{ key, says string }{
		{"", "it is empty"},
		{strings.Repeat("k", 257), "257 bytes"},
		{"\xff", `"\xff" is no text in UTF-8`},
		{"a\x00b", `"a\x00b" is no text in UTF-8`},
	} {
		r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{}"))
		r.Header.Set(Header, c.key)
		err := Door{}.Do(httptest.NewRecorder(), r, func(http.ResponseWriter, *http.Request) { t.Errorf("%q was carried out", c.key) })
		if !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%q: got %v, want that it says %q", c.key, err, c.says)
		}
	}
}

// Of two keys one would be lost, perhaps that which the client sends again.
func TestTwoKeysAreRefused(t *testing.T) {
	r := httptest.NewRequestWithContext(t.Context(), http.MethodPost, "/", strings.NewReader("{}"))
	r.Header[Header] = []string{"a", "b"}
	err := Door{}.Do(httptest.NewRecorder(), r, func(http.ResponseWriter, *http.Request) { t.Error("it was carried out") })
	if !errors.Is(err, ErrNoKey) || !strings.Contains(err.Error(), "2 are given") {
		t.Errorf("got %v", err)
	}
}
