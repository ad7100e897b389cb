package e2e_test

import (
	"os"
	"regexp"
	"testing"
	"time"
)

// served is the line that tells where the API is.
var served = regexp.MustCompile(`msg="the API is served" address=(\S+)`)

// serve starts a server on a free port and answers its address, like
// http://127.0.0.1:41234.
func (s *site) serve() string {
	s.t.Helper()
	s.variables = append(s.variables, "CHARGEHAND_HTTP_LISTEN=127.0.0.1:0")
	return address(s.t, s.start("serve"))
}

// address is where a process serves the API.
func address(t testing.TB, p *process) string {
	t.Helper()
	var found []string
	until(t, time.Minute, "the API is served", func() bool {
		log, err := os.ReadFile(p.log)
		if err != nil {
			t.Fatal(err)
		}
		found = served.FindStringSubmatch(string(log))
		return found != nil || !p.runs()
	})
	if found == nil {
		t.Fatal("the server ended before it served")
	}
	return "http://" + found[1]
}
