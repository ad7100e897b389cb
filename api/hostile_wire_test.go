package api

import (
	"bufio"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/route"
)

// shire is a village of two resellers, one of them below the other, and one

// that has nothing to do with them.

// target is an endpoint of the document, and a request to it.

// targets are requests to every endpoint of the document, as its examples have them.

// aim sends the request with a token in its place.

// set sets a value where there is one.

// well makes sure that the site serves, and that its database is sound.

// every is all scopes.

// hostileTexts are what somebody may put in place of a value.

// TestHostileValuesAreAnswered tries each hostile text in place of each value of

// each endpoint: path, query, headers, and every member of the body.

// spoilt is a body with each of its members made hostile, and bodies that are

// hostile as a whole.

// replaced are a value's texts with one of its members replaced each.

func TestOtherMethodsAndPathsAreRefused(t *testing.T) {
	s := openSite(t, shire, nil)
	for _, x := range s.targets() {
		for _, method := range []string{"TRACE", "CONNECTX", "OPTIONS", "PROPFIND"} {
			y := x
			y.method, y.media, y.body = method, "", ""
			if got := s.aim(y, s.token(every)); got.status < 400 || got.status >= 500 {
				t.Errorf("%s %s: got %d %s", method, x.path, got.status, got.body)
			}
		}
	}
	for _, path := range []string{"//v1/accounts/SOUTH1", "/v1//accounts/SOUTH1", "/v1/../v1/accounts/SOUTH1", "/v1/accounts/..%2fSOUTH1", "/v1/accounts/%00",
		"/livez/../v1/accounts/SOUTH1", "/livez%2f..%2fv1%2faccounts%2fSOUTH1", "/LIVEZ", "/v1/accounts/SOUTH1/", "/v1/accounts/SOUTH1;a=b",
		"/v1/accounts/" + strings.Repeat("a/", 4000), "/v1/accounts/" + strings.Repeat("a", 30_000), "/%2e%2e/%2e%2e/etc/passwd"} {
		for _, scope := range []access.Scope{0, every} {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, s.url+"/", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.URL.Opaque = "//" + strings.TrimPrefix(s.url, "http://") + path // as it stands
			if scope != 0 {
				r.Header.Set("Authorization", "Bearer "+s.token(scope))
			}
			if got := s.sent(r); got.status < 400 || got.status >= 500 {
				t.Errorf("%.60s: got %d %s", path, got.status, got.body)
			}
		}
	}
	s.well("50")
}

func TestWhatIsNoHTTPIsRefused(t *testing.T) {
	s := openSite(t, shire, nil)
	address := strings.TrimPrefix(s.url, "http://")
	bearer := "Host: a\r\nConnection: close\r\nAuthorization: Bearer " + s.token(every) + "\r\n"
	for what, text := range map[string]string{
		"no request":              "\x16\x03\x01\x00\r\n\r\n",
		"another version":         "GET / HTTP/9.9\r\n\r\n",
		"two hosts":               "GET /livez HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
		"no host":                 "GET /livez HTTP/1.1\r\n\r\n",
		"a NUL in a header":       "GET /livez HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
		"headers without end":     "GET /livez HTTP/1.1\r\nHost: a\r\n" + strings.Repeat("X: "+strings.Repeat("y", 1000)+"\r\n", 2000) + "\r\n",
		"two lengths":             "POST /v1/usage HTTP/1.1\r\n" + bearer + "Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
		"a length below zero":     "POST /v1/usage HTTP/1.1\r\n" + bearer + "Content-Length: -1\r\n\r\n",
		"a length and chunks":     "POST /v1/simulations HTTP/1.1\r\n" + bearer + "Content-Type: application/json\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"chunks that are none":    "POST /v1/simulations HTTP/1.1\r\n" + bearer + "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
		"an encoding of no kind":  "POST /v1/simulations HTTP/1.1\r\n" + bearer + "Content-Type: application/json\r\nTransfer-Encoding: gzip, chunked, identity\r\n\r\n",
		"two tokens":              "GET /v1/accounts/SOUTH1 HTTP/1.1\r\n" + strings.Replace(bearer, "Bearer ", "Bearer x", 1) + "Authorization: Bearer " + s.token(every) + "\r\n\r\n",
		"two tokens, one good":    "GET /v1/accounts HTTP/1.1\r\n" + bearer + "Authorization: Bearer x\r\n\r\n",
		"an encoding of the body": "POST /v1/simulations HTTP/1.1\r\n" + bearer + "Content-Type: application/json\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
	} {
		if status := statusOf(t, address, text); status < 400 || status == 500 || status > 505 {
			t.Errorf("%s: got %d", what, status)
		}
	}
	s.well("50")
}

// statusOf sends a text as it stands, and answers the status that comes back.

func statusOf(t *testing.T, address, text string) int {
	t.Helper()
	to, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	go func() { _, _ = io.WriteString(to, text) }() // the server may stop listening half-way
	w, err := http.ReadResponse(bufio.NewReader(to), nil)
	if err != nil {
		t.Errorf("%.40q: %v", text, err)
		return 0
	}
	_ = w.Body.Close()
	return w.StatusCode
}

// endless is a body that never ends.

type endless struct{}

func (endless) Read(b []byte) (int, error) {
	for i := range b {
		b[i] = ' '
	}
	return len(b), nil
}

func TestABodyWithoutEndIsCutOff(t *testing.T) {
	s := openSite(t, shire, func(o *Options) { o.BodyBytesMax, o.UsageBytesMax = 64<<10, 64<<10 })
	for _, x := range s.targets() {
		if x.media == "" || x.token != route.Bearer {
			continue
		}
		ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
		r, err := http.NewRequestWithContext(ctx, x.method, s.url+strings.NewReplacer("{number}", "SOUTH1", "{ref}", "jane").Replace(x.path), endless{})
		if err != nil {
			t.Fatal(err)
		}
		r.Header.Set("Content-Type", x.media)
		r.Header.Set("Authorization", "Bearer "+s.token(every))
		w, err := http.DefaultClient.Do(r)
		if err == nil {
			if _ = w.Body.Close(); w.StatusCode < 400 || w.StatusCode >= 500 {
				t.Errorf("%s: got %d", x.where, w.StatusCode)
			}
		} else if ctx.Err() != nil {
			t.Errorf("%s: was listened to for a minute", x.where)
		}
		cancel()
	}
	s.well("50")
}

// TestManyThatAreSlowHoldNobodyUp: connections that never finish their request

// cost one goroutine each until their time is over, and others are served.

func TestManyThatAreSlowHoldNobodyUp(t *testing.T) {
	s := openSite(t, shire, nil)
	address := strings.TrimPrefix(s.url, "http://")
	for i := range 200 {
		to, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer to.Close()
		text := "GET /v1/accounts/SOUTH1 HTTP/1.1\r\nHost: a\r\nX: "
		if i%2 == 1 {
			text = "POST /v1/usage HTTP/1.1\r\nHost: a\r\nContent-Type: application/x-ndjson\r\nContent-Length: 1000\r\nAuthorization: Bearer " +
				s.token(access.Feed) + "\r\n\r\n{"
		}
		if _, err := io.WriteString(to, text); err != nil {
			t.Fatal(err)
		}
	}
	s.well("50")
}
