package bench

import (
	"encoding/json"
	"os"
	"testing"
)

// A small run goes through all of it; figures are for RESULTS.md, not for tests.
func TestRun(t *testing.T) {
	r, err := Run(t.Context(), Options{Records: 5000, Accounts: 50, Batch: 500, Shards: 2, PerGroup: 8, Env: os.Getenv}, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if r.Worked.Records != 5000 || r.Worked.PerSecond <= 0 || r.RawCopy <= 0 || r.NoopQueue <= 0 {
		t.Errorf("got %+v, want figures above zero", r)
	}
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	t.Log(string(text))
}

// The doors take the same records over, and a request is told how long it took.
func TestRunDoors(t *testing.T) {
	d, err := RunDoors(t.Context(), Options{Records: 2000, Accounts: 50, Batch: 100, Shards: 2, Env: os.Getenv}, 4, t.Output())
	if err != nil {
		t.Fatal(err)
	}
	if len(d.Ingest) != doorRounds || len(d.HTTP) != doorRounds || d.Ratio <= 0 || d.HTTP[0].P99 == "" {
		t.Errorf("got %+v, want figures of every round", d)
	}
}
