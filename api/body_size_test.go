package api

import (
	"fmt"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/api/access"
)

// A body of tiny values would take hundreds of times its size in memory.
func TestABodyOfTooManyValuesIsRefused(t *testing.T) {
	s := openSite(t, village, nil)
	size := int(s.server.BodyBytesMax) - 100
	for what, body := range map[string]string{
		"numbers":        "[" + strings.Repeat("0,", size/2) + "0]",
		"empty prices":   `{"prices":[` + strings.Repeat("{},", size/3) + "{}]}",
		"lists":          "[" + strings.Repeat("[],", size/3) + "[]]",
		"members":        "{" + strings.Repeat(`"":0,`, size/5) + `"":0}`,
		"lines":          strings.Repeat("-\n", size/2),
		"lines of a Mac": strings.Repeat("-\r", size/2),
		"keys":           strings.Repeat("?\n", size/2),
		"comments":       strings.Repeat("- #\n", size/4),
	} {
		for call, text := range map[string]string{"PUT /v1/price-book": body, "POST /v1/simulations": `{"setup":` + body + "}"} {
			if strings.ContainsAny(body, "-?") && strings.HasPrefix(call, "POST") {
				continue // it is no JSON
			}
			method, path, _ := strings.Cut(call, " ")
			got := s.do(access.Manage|access.Read, method, path, text, "Content-Type", map[string]string{"PUT": asYAML, "POST": asJSON}[method])
			if got.status != 413 || kindOf(t, got) != "too-large" || !strings.Contains(string(got.body), "send it in parts") {
				t.Errorf("%s, %s: got %d %.300s", call, what, got.status, got.body)
			}
		}
	}
}

// What is written as tightly as it can be is taken, up to the longest body.
func TestALongSetupIsTaken(t *testing.T) {
	s := openSite(t, village, nil)
	var accounts []string
	for length := 0; length < int(s.server.BodyBytesMax)-200; length += len(accounts[len(accounts)-1]) + 1 {
		accounts = append(accounts, fmt.Sprintf(`{"number":"A%06d","class":"default","currency":"EUR","services":["Exxon Unleaded"]}`, len(accounts)))
	}
	body := `{"customers":[{"ref":"many","accounts":[` + strings.Join(accounts, ",") + `]}]}`
	if got := s.do(access.Manage, "PUT", "/v1/price-book?dry_run=true", body); got.status != 200 {
		t.Errorf("%d accounts in %d bytes with %d marks: got %d %.300s", len(accounts), len(body), marks([]byte(body)), got.status, got.body)
	}
}

func TestNoMoreSetupsThanPlacesAreApplied(t *testing.T) {
	s := openSite(t, village, nil)
	for range cap(s.server.setups) {
		s.server.setups <- struct{}{}
	}
	const body = `{"families":[{"code":"X","name":"X"}]}`
	if got := s.do(access.Manage, "PUT", "/v1/price-book", body); got.status != 503 || got.head.Get("Retry-After") != "5" || kindOf(t, got) != "busy" {
		t.Errorf("got %d %s", got.status, got.body)
	}
	<-s.server.setups
	for _, body := range []string{body, `{"prizes":[]}`, body} { // each leaves its place
		if got := s.do(access.Manage, "PUT", "/v1/price-book", body); got.status == 503 {
			t.Errorf("got %d %s", got.status, got.body)
		}
	}
}
