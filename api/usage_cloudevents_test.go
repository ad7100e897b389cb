package api

import (
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	cloudevents "github.com/cloudevents/sdk-go/v2"
	"github.com/cloudevents/sdk-go/v2/client"
	cehttp "github.com/cloudevents/sdk-go/v2/protocol/http"
)

// newEvent is an event as the SDK of CloudEvents makes it: a client that nobody
// here wrote.
func newEvent(t *testing.T, id, quantity string) cloudevents.Event {
	t.Helper()
	e := cloudevents.NewEvent()
	e.SetID(id)
	e.SetSource("/pumps/7 née Ω")
	e.SetSubject("ACR0000001526")
	e.SetType("usage.recorded.v1")
	e.SetTime(time.Date(2026, 3, 10, 10, 0, 0, 123456789, time.FixedZone("", 7200)))
	e.SetExtension("partitionkey", "let be")
	if err := e.SetData(cloudevents.ApplicationJSON, map[string]any{"service": "Exxon Unleaded", "quantity": quantity}); err != nil {
		t.Fatal(err)
	}
	return e
}

func TestTheCloudEventsSDKIsUnderstood(t *testing.T) {
	s := openSite(t, village, nil)
	p, err := cloudevents.NewHTTP(cloudevents.WithTarget(s.url+"/v1/usage"), cehttp.WithHeader("Authorization", "Bearer "+s.token(access.Feed)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := cloudevents.NewClient(p, client.WithTracePropagation())
	if err != nil {
		t.Fatal(err)
	}
	ctx := cloudevents.ContextWithRetriesExponentialBackoff(t.Context(), 10*time.Millisecond, 3)
	for mode, ctx := range map[string]func() error{
		"binary":     func() error { return c.Send(cloudevents.WithEncodingBinary(ctx), newEvent(t, "binary", "1")) },
		"structured": func() error { return c.Send(cloudevents.WithEncodingStructured(ctx), newEvent(t, "structured", "2")) },
	} {
		if result := ctx(); !cloudevents.IsACK(result) {
			t.Errorf("%s: %v", mode, result)
		}
	}
	batch, err := cehttp.NewHTTPRequestFromEvents(t.Context(), s.url+"/v1/usage",
		[]cloudevents.Event{newEvent(t, "batch 1", "3"), newEvent(t, "batch 2", "4"), newEvent(t, "batch 3", "-1")})
	if err != nil {
		t.Fatal(err)
	}
	batch.Header.Set("Authorization", "Bearer "+s.token(access.Feed))
	w, err := http.DefaultClient.Do(batch)
	if err != nil {
		t.Fatal(err)
	}
	if w.Body.Close(); w.StatusCode != http.StatusAccepted {
		t.Errorf("batch: got %s", w.Status)
	}
	s.work(t, s.server.Log)
	eventually(t, "all is judged", func() bool { n, err := s.store.Backlog(t.Context()); return err == nil && n == 0 })
	got := strings.Split(s.askText(`select string_agg(source || ' ' || id || ' ' || quantity::real || ' ' || occurred_at::text, ',' order by id collate "C")
		from records where outcome = 1`), ",")
	// The SDK makes a URI of the source; it must be the same one in every mode, or
	// an event that is sent again in another would be charged again.
	from, at := "/pumps/7%20n%C3%A9e%20%CE%A9 ", " 2026-03-10 08:00:00.123456+00"
	if want := []string{from + "batch 1 3" + at, from + "batch 2 4" + at, from + "binary 1" + at, from + "structured 2" + at}; !slices.Equal(got, want) {
		t.Errorf("rated are %q, want %q", got, want)
	}
	if l := s.refusedLines(); len(l) != 1 || !strings.Contains(l[0].Fault, "record 3 of the array: data: quantity") {
		t.Errorf("got the dead letters %+v", l)
	}
}

func TestTheCloudEventsSDKIsToldToComeAgain(t *testing.T) {
	s := openSite(t, village, func(o *Options) { o.BacklogRecordsMax = 1 })
	s.took(s.send("application/x-ndjson", usedLines(2)))
	s.server.usage.backlog.until = time.Time{}
	p, err := cloudevents.NewHTTP(cloudevents.WithTarget(s.url+"/v1/usage"), cehttp.WithHeader("Authorization", "Bearer "+s.token(access.Feed)))
	if err != nil {
		t.Fatal(err)
	}
	c, err := cloudevents.NewClient(p)
	if err != nil {
		t.Fatal(err)
	}
	var result *cehttp.Result
	if err := c.Send(t.Context(), newEvent(t, "1", "1")); !cloudevents.ResultAs(err, &result) || result.StatusCode != http.StatusTooManyRequests {
		t.Errorf("got %v, want 429: the SDK tries again by itself where it is told how often", err)
	}
}
