package e2e_test

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// redisGrowthMax is by how much Redis may grow while dead letters are sent again:
// it holds what is on its way at one time, on an idle machine 0.4 MB. With all of
// the 50,000 in it, it would have grown by 6 MB.
const redisGrowthMax = 4 << 20

// TestDeadLettersAreKeptByTheDatabase: 50,000 of them are listed, sent again while
// a worker runs, and discarded, and Redis does not feel how many they are.
func TestDeadLettersAreKeptByTheDatabase(t *testing.T) {
	const letters = 50_000
	s := newSite(t)
	if together.stack.RedisInMemory {
		t.Skip("no redis-server on this machine: what it would hold cannot be measured")
	}
	shop := strings.Join([]string{
		"types: [{code: DATA, name: Data, unit: {code: MB, name: Megabyte}}]",
		"services: [{code: data, type: DATA}]",
		`prices: [{id: p, service: data, currency: EUR, valid_from: 2026-01-01T00:00:00Z, per_unit: "0.01"}]`,
		`account_classes: [{key: std, name: Standard, payment_model: prepay, financial_blocking_threshold: "1000000", subzero_period: -1,
  subscription_credit_limit: "0", buy_with_negative_balance: true, default: true}]`,
		"customers: [{ref: c, name: C, accounts: [" + accountsNamed("A", 16) + "]}]",
	}, "\n")
	s.must("apply", "-f", s.file("setup.yaml", shop))
	s.file("first.ndjson", numbered(letters, "1"))
	s.file("again.ndjson", numbered(letters, "2"))
	w := s.start("work")
	s.must("ingest", "first.ndjson", "--wait", "--json")
	if got := fmt.Sprint(s.answer("ingest", "again.ndjson", "--wait")["conflict"]); got != fmt.Sprint(letters) {
		t.Fatalf("got %s conflicts, want %d", got, letters)
	}

	before := redisMemory(t, s.redisURL)
	most := watchRedis(t, s.redisURL)
	if got := s.deadLetters(); got != letters {
		t.Errorf("got %d dead letters listed, want %d", got, letters)
	}
	// Each of them is a conflict again. That one is not sent again in the same run.
	if got := fmt.Sprint(s.answer("dead-letters", "redrive", "--kind", "conflict")["redriven"]); got != fmt.Sprint(letters) {
		t.Errorf("got %s redriven, want %d", got, letters)
	}
	s.must("drain", "--timeout", "1m")
	if grew := most() - before; grew > redisGrowthMax {
		t.Errorf("Redis grew by %d bytes, want at most %d", grew, redisGrowthMax)
	} else {
		t.Logf("Redis grew from %d by %d bytes at most", before, grew)
	}
	if got := s.deadLetters(); got != letters {
		t.Errorf("after they came back: got %d dead letters, want %d", got, letters)
	}
	if got := fmt.Sprint(s.answer("dead-letters", "discard", "--all")["discarded"]); got != fmt.Sprint(letters) {
		t.Errorf("got %s discarded, want %d", got, letters)
	}
	if got := s.deadLetters(); got != 0 {
		t.Errorf("got %d dead letters left, want none", got)
	}
	s.must("verify")
	w.stop()
}

func (s *site) deadLetters() (n int) {
	s.t.Helper()
	s.eachLine(func([]byte) { n++ }, "dead-letters", "list", "--json")
	return n
}

// accountsNamed is accounts of the service data, as YAML within brackets.
func accountsNamed(prefix string, count int) string {
	all := make([]string, count)
	for n := range all {
		all[n] = fmt.Sprintf("{number: %s%d, currency: EUR, services: [data]}", prefix, n)
	}
	return strings.Join(all, ", ")
}

// numbered is records of 16 accounts, one after the other, all of one quantity.
func numbered(count int, quantity string) string {
	var b strings.Builder
	for n := range count {
		fmt.Fprintf(&b, `{"source":"f","id":"%d","account":"A%d","service":"data","quantity":%q,"occurred_at":"2026-03-01T10:00:00Z"}`+"\n",
			n, n%16, quantity)
	}
	return b.String()
}

// redisMemory is how many bytes Redis has allocated for what it keeps: without
// the buffers of its clients.
func redisMemory(t *testing.T, url string) int64 {
	t.Helper()
	n, err := datasetBytes(t.Context(), url)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func datasetBytes(ctx context.Context, url string) (n int64, err error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return 0, err
	}
	c := redis.NewClient(o)
	defer c.Close()
	text, err := c.Info(ctx, "memory").Result()
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(text) {
		if value, is := strings.CutPrefix(strings.TrimSpace(line), "used_memory_dataset:"); is {
			_, err = fmt.Sscan(value, &n)
			return n, err
		}
	}
	return 0, fmt.Errorf("used_memory_dataset is not among %q", text)
}

// watchRedis asks for the memory of Redis until most is called, which answers the
// highest of it.
func watchRedis(t *testing.T, url string) (most func() int64) {
	t.Helper()
	ctx, stop := context.WithCancel(t.Context())
	highest := make(chan int64, 1)
	go func() {
		top := int64(0)
		tick := time.NewTicker(20 * time.Millisecond)
		defer tick.Stop()
		for {
			select {
			case <-tick.C:
			case <-ctx.Done():
				highest <- top
				return
			}
			if n, err := datasetBytes(ctx, url); err == nil {
				top = max(top, n)
			}
		}
	}()
	return func() int64 {
		stop()
		return <-highest
	}
}
