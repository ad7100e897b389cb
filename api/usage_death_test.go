package api

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/chargehand/chargehand/api/access"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/metrics"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"github.com/google/uuid"
)

// mortal, in the environment, makes this test binary a server that another one
// kills: the addresses of its database and its Redis.
const mortal = "CHARGEHAND_TEST_MORTAL"

func TestAMortalServer(t *testing.T) {
	database, redis, is := strings.Cut(os.Getenv(mortal), " ")
	if !is {
		t.Skip("it is the server of TestWhatWasAnsweredSurvivesTheServer")
	}
	store, err := postgres.Open(t.Context(), database, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	q, err := queue.Connect(redis, slog.New(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	s := New(Options{Store: store, Queue: q, Metrics: metrics.New(), Clock: time.Now, Log: slog.New(slog.DiscardHandler), TimeZone: time.UTC,
		Door: &feed.Door{Store: store, Queue: q, Shards: 4, BatchRecords: 100, Clock: time.Now, Log: slog.New(slog.DiscardHandler)},
		Gate: access.NewGate(store, access.Options{Clock: time.Now}), BodyBytesMax: 1 << 20, UsageBytesMax: 64 << 20, BacklogRecordsMax: 1_000_000})
	fmt.Println("served at", httptest.NewServer(s.Handler()).URL)
	select {}
}

func TestWhatWasAnsweredSurvivesTheServer(t *testing.T) {
	s := openSite(t, village, nil)
	token := s.token(access.Feed)
	var (
		mu       sync.Mutex
		answered []Taken
	)
	for range 3 {
		child := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^TestAMortalServer$")
		child.Env = append(os.Environ(), mortal+"="+s.database+" "+s.stack.RedisURL)
		child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		out, err := child.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		var at string
		for lines := bufio.NewScanner(out); at == "" && lines.Scan(); {
			at = strings.TrimPrefix(lines.Text(), "served at ")
		}
		enough := make(chan struct{}, 1000)
		var wait sync.WaitGroup
		for sender := range 8 {
			wait.Go(func() {
				for n := 0; ; n++ {
					got, err := sendTo(t, at, token, fmt.Sprintf("%s-%d-%d", uuid.NewString(), sender, n), 1+n*37%400)
					if err != nil {
						return // it was killed
					}
					mu.Lock()
					answered = append(answered, got)
					mu.Unlock()
					enough <- struct{}{}
				}
			})
		}
		for range 50 {
			<-enough
		}
		if err := child.Process.Kill(); err != nil {
			t.Error(err)
		}
		wait.Wait()
		_ = child.Wait() // it was killed
	}
	var accepted int
	ids := map[uuid.UUID]bool{}
	for _, a := range answered {
		accepted += a.Accepted
		for _, id := range a.Batches {
			ids[id] = true
		}
	}
	var all []uuid.UUID
	for id := range ids {
		all = append(all, id)
	}
	names := map[string]bool{}
	for _, name := range s.stored(all) {
		names[name] = true
	}
	// Batches are shared: some of their records are of requests that were not answered.
	if len(names) < accepted {
		t.Errorf("%d requests were answered, %d records with 202; their batches hold %d", len(answered), accepted, len(names))
	}
	for _, a := range answered {
		for i := range a.Accepted {
			if name := fmt.Sprintf("%s/%d", a.Refused[0].Fault, i); !names[name] {
				t.Fatalf("record %s was answered with 202 and is not there", name)
			}
		}
	}
}

// sendTo sends n records of a source, and answers what was answered, with the
// source in place of a fault.
func sendTo(t *testing.T, at, token, source string, n int) (got Taken, err error) {
	q, err := http.NewRequestWithContext(t.Context(), http.MethodPost, at+"/v1/usage?source="+source,
		bytes.NewReader([]byte(strings.ReplaceAll(usedLines(n), `"source":"pump",`, ""))))
	if err != nil {
		return got, err
	}
	q.Header.Set("Content-Type", "application/x-ndjson")
	q.Header.Set("Authorization", "Bearer "+token)
	w, err := http.DefaultClient.Do(q)
	if err != nil {
		return got, err
	}
	defer w.Body.Close()
	if err := json.NewDecoder(w.Body).Decode(&got); err != nil {
		return got, err
	}
	if w.StatusCode != http.StatusAccepted || got.Accepted != n {
		t.Errorf("got %d and %+v", w.StatusCode, got)
	}
	got.Refused = []Refused{{Fault: source}}
	return got, nil
}
