package api

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/api/route"
)

// served serves a site as a process does; stop ends it, and ended tells how.
func (s *site) served() (address string, stop func(), ended <-chan error) {
	s.t.Helper()
	ctx, stop := context.WithCancel(s.t.Context())
	at, done := make(chan net.Addr, 1), make(chan error, 1)
	go func() { done <- s.server.Serve(ctx, "127.0.0.1:0", nil, func(a net.Addr) { at <- a }) }()
	return (<-at).String(), stop, done
}

// dial is a connection to an address, until the test ends.
func (s *site) dial(address string) net.Conn {
	s.t.Helper()
	c, err := new(net.Dialer).DialContext(s.t.Context(), "tcp", address)
	if err != nil {
		s.t.Fatal(err)
	}
	s.t.Cleanup(func() { _ = c.Close() })
	return c
}

// say sends a text as it stands, and answers what comes back.
func (s *site) say(address, text string) answer {
	s.t.Helper()
	c := s.dial(address)
	go func() { _, _ = io.WriteString(c, text) }() // the server may stop listening half-way
	return s.answered(c)
}

// TestWhatIsRefusedBeforeAnybodySeesIt by net/http has no problem but a line of
// text: docs/api.md says so of just these. What is larger than it should be is told
// by a problem while that can be.
func TestWhatIsRefusedBeforeAnybodySeesIt(t *testing.T) {
	s := openSite(t, village, nil)
	address, stop, ended := s.served()
	const host = "Host: a\r\nConnection: close\r\n"
	for _, c := range []struct {
		what, text string
		status     int
		kind       string // of the problem; empty: there is none
	}{
		{"no request", "hello\r\n\r\n", 400, ""},
		{"a NUL in a header", "GET /livez HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n", 400, ""},
		{"no host", "GET /livez HTTP/1.1\r\n\r\n", 400, ""},
		{"a host that is none", "GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n", 400, ""},
		{"an encoding of no kind", "POST /v1/usage HTTP/1.1\r\n" + host + "Transfer-Encoding: zip\r\n\r\n", 501, ""},
		{"another version", "GET /livez HTTP/3.0\r\n" + host + "\r\n", 505, ""},
		{"an expectation", "GET /livez HTTP/1.1\r\n" + host + "Expect: rain\r\n\r\n", 417, ""},
		{"a header beyond all bounds", "GET /livez HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 300<<10) + "\r\n\r\n", 431, ""},
		{"a large header", "GET /livez HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 64<<10) + "\r\n\r\n", 431, "headers-too-large"},
		{"a large path", "GET /" + strings.Repeat("x", 64<<10) + " HTTP/1.1\r\n" + host + "\r\n", 431, "headers-too-large"},
		{"a header that is not too large", "GET /livez HTTP/1.1\r\n" + host + "X: " + strings.Repeat("x", 63<<10) + "\r\n\r\n", 200, ""},
		{"no path", "OPTIONS * HTTP/1.1\r\n" + host + "\r\n", 401, "token-missing"},
		{"no path, with a token", "OPTIONS * HTTP/1.1\r\n" + host + "Authorization: Bearer " + s.token(access.Read) + "\r\n\r\n", 404, "not-found"},
		{"a proxy's path", "GET http://b/livez HTTP/1.1\r\n" + host + "\r\n", 200, ""},
		{"a tunnel", "CONNECT b:80 HTTP/1.1\r\n" + host + "\r\n", 401, "token-missing"},
	} {
		got := s.say(address, c.text)
		media, want := got.head.Get("Content-Type"), "application/problem+json"
		if got.status != c.status || (media == want) != (c.kind != "") || !strings.Contains(string(got.body), c.kind) {
			t.Errorf("%s: got %d %s %.200s, want %d %s", c.what, got.status, media, got.body, c.status, c.kind)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestHTTP10IsSpoken: an old client is answered, without chunks, and its connection
// ends.
func TestHTTP10IsSpoken(t *testing.T) {
	s := openMarch(t)
	address, stop, ended := s.served()
	for path, accept := range map[string]string{"/livez": "*/*", "/v1/accounts/ACR0000001526": "*/*", "/v1/records": asNDJSON} {
		c := s.dial(address)
		fmt.Fprintf(c, "GET %s HTTP/1.0\r\nAccept: %s\r\nAuthorization: Bearer %s\r\n\r\n", path, accept, s.token(access.Read))
		text, err := io.ReadAll(c) // to the end of the connection
		if err != nil || !strings.HasPrefix(string(text), "HTTP/1.0 200 OK\r\n") || strings.Contains(string(text), "Transfer-Encoding") {
			t.Errorf("%s: got %s, %v", path, text, err)
		}
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestAServerThatEndsAnswersWhatRuns, takes nothing new, and hangs up on who says
// nothing.
func TestAServerThatEndsAnswersWhatRuns(t *testing.T) {
	s := openSite(t, village, nil)
	began, finish := make(chan struct{}), make(chan struct{})
	s.server.open["/slow"] = http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		close(began)
		<-finish
		if r.Context().Err() != nil {
			t.Error("what runs was broken off")
		}
		healthy(w)
	})
	address, stop, ended := s.served()
	silent, runs := s.dial(address), s.dial(address)
	fmt.Fprint(silent, "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n")
	if got := s.answered(silent); got.status != http.StatusOK {
		t.Errorf("got %d %s", got.status, got.body)
	}
	fmt.Fprint(runs, "GET /slow HTTP/1.1\r\nHost: a\r\n\r\n")
	<-began
	stop()
	eventually(t, "nothing new is taken", func() bool {
		c, err := new(net.Dialer).DialContext(t.Context(), "tcp", address)
		if err == nil {
			_ = c.Close()
		}
		return errors.Is(err, syscall.ECONNREFUSED)
	})
	if _, err := silent.Read(make([]byte, 1)); err == nil {
		t.Error("who says nothing is still listened to")
	}
	select {
	case err := <-ended:
		t.Errorf("ended before its request did: %v", err)
	default:
	}
	close(finish)
	if got := s.answered(runs); got.status != http.StatusOK {
		t.Errorf("what ran: got %d %s", got.status, got.body)
	}
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestWhoDoesNotReadIsNotWaitedFor: an answer that nobody takes ends when its time
// is over, packed or not.
func TestWhoDoesNotReadIsNotWaitedFor(t *testing.T) {
	s := openSite(t, village, func(o *Options) {
		o.Patience = Patience{Ordinary: 50 * time.Millisecond, Reading: 50 * time.Millisecond}
	})
	much := make([]byte, 1<<20)
	if _, err := rand.Read(much); err != nil {
		t.Fatal(err)
	}
	broke := make(chan error)
	s.server.open["/much"] = s.server.timely(endpoint{method: http.MethodGet}, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", asNDJSON)
		for {
			if _, err := w.Write(much); err != nil {
				broke <- err
				return
			}
		}
	})
	address, stop, ended := s.served()
	for _, head := range []string{"", "Accept-Encoding: gzip\r\n"} {
		c := s.dial(address)
		fmt.Fprintf(c, "GET /much HTTP/1.1\r\nHost: a\r\n%s\r\n", head)
		w, err := http.ReadResponse(bufio.NewReader(c), nil)
		if err != nil {
			t.Fatal(err)
		}
		if (w.Header.Get("Content-Encoding") == "gzip") != (head != "") {
			t.Errorf("%q: got %v", head, w.Header)
		}
		if err := <-broke; err == nil { // the test's own bound ends it else
			t.Error("no error")
		}
		_ = w.Body.Close()
	}
	stop()
	if err := <-ended; err != nil {
		t.Error(err)
	}
}

// TestHeadIsGetWithoutABody, of every endpoint that has one, with the same need of a
// token; and OPTIONS is told which methods there are.
func TestHeadIsGetWithoutABody(t *testing.T) {
	s := openSite(t, shire, nil)
	for _, x := range s.targets() {
		if x.token == route.Bearer {
			x.query = map[string][]string{}
		}
		y := x
		y.method, y.media, y.body = http.MethodOptions, "", ""
		if got := s.aim(y, s.token(every)); x.token == route.Bearer && (got.status != http.StatusMethodNotAllowed || !strings.Contains(got.head.Get("Allow"), x.method)) {
			t.Errorf("OPTIONS %s: got %d, Allow %q", x.path, got.status, got.head.Get("Allow"))
		}
		if x.method != http.MethodGet {
			continue
		}
		for _, token := range []string{s.token(every), ""} {
			want := s.aim(x, token)
			y := x
			y.method = http.MethodHead
			got := s.aim(y, token)
			if got.status != want.status || len(got.body) > 0 || got.head.Get("Content-Type") != want.head.Get("Content-Type") {
				t.Errorf("HEAD %s: got %d %s %q, want %d %s", x.path, got.status, got.head.Get("Content-Type"), got.body, want.status, want.head.Get("Content-Type"))
			}
		}
	}
	for _, path := range []string{"/livez", "/readyz", "/metrics", "/openapi.json"} {
		if got := s.do(access.Read, "HEAD", path, ""); got.status != http.StatusOK || len(got.body) > 0 {
			t.Errorf("HEAD %s: got %d %q", path, got.status, got.body)
		}
		if got := s.do(access.Read, "POST", path, ""); got.status != http.StatusMethodNotAllowed || got.head.Get("Allow") != "GET, HEAD" {
			t.Errorf("POST %s: got %d, Allow %q", path, got.status, got.head.Get("Allow"))
		}
	}
}
