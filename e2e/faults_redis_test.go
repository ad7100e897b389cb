package e2e_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/redis/go-redis/v9"
)

// PostgreSQL remembers, Redis reminds: with nobody left to remind it, everything
// that was accepted is judged all the same.
func TestALostRedisLosesNothing(t *testing.T) {
	f := newFaultSite(t, 40_000)
	f.sendAll()
	f.wipeRedis()
	f.start("work")
	for range 3 {
		pause(t.Context(), time.Duration(f.dice.IntN(400))*time.Millisecond)
		f.wipeRedis()
	}
	f.judged()
	f.note("judged, with Redis emptied four times")
	f.right()
}

func (f *faultSite) wipeRedis() {
	f.t.Helper()
	if err := flush(f.redisURL); err != nil {
		f.t.Fatal(err)
	}
}

// Every batch comes twice: at once, from two Redis databases with the same tasks
// and a worker at each, and again later to the worker that takes over.
func TestEveryBatchDeliveredTwiceChangesNothing(t *testing.T) {
	f := newFaultSite(t, 30_000)
	f.sendAll()
	second := &site{t: t, dir: f.dir, databaseURL: f.databaseURL, redisURL: at(f.redisURL, "1"), variables: f.variables}
	copied := copyKeys(t, f.redisURL, second.redisURL)

	one, two := f.start("work"), second.start("work")
	f.judged()
	f.right()
	before := f.must("stats", "--json")
	two.stop() // the first worker takes its shards over, and what their queues hold
	f.must("drain", "--timeout", "1m")
	one.stop()
	second.start("work")
	second.must("drain", "--timeout", "1m")

	f.note("judged once; %d keys of Redis delivered a second time", copied)
	f.right()
	got, want := f.object(f.must("stats", "--json")), f.object(before)
	for _, key := range []string{"batches", "outcomes"} {
		for _, wrong := range differ(key, got[key], want[key]) {
			t.Errorf("after the second delivery: %s", wrong)
		}
	}
}

// copyKeys copies all that one Redis database holds into another.
func copyKeys(t *testing.T, fromURL, toURL string) (copied int) {
	t.Helper()
	from, to := openRedis(t, fromURL), openRedis(t, toURL)
	keys := from.Scan(t.Context(), 0, "*", 1000).Iterator()
	for keys.Next(t.Context()) {
		value, err := from.Dump(t.Context(), keys.Val()).Result()
		if errors.Is(err, redis.Nil) {
			continue // it ran out
		}
		if err == nil {
			err = to.RestoreReplace(t.Context(), keys.Val(), 0, value).Err()
		}
		if err != nil {
			t.Fatalf("copy %s: %v", keys.Val(), err)
		}
		copied++
	}
	if err := keys.Err(); err != nil {
		t.Fatal(err)
	}
	return copied
}

func openRedis(t *testing.T, redisURL string) *redis.Client {
	t.Helper()
	o, err := redis.ParseURL(redisURL)
	if err != nil {
		t.Fatal(err)
	}
	client := redis.NewClient(o)
	t.Cleanup(func() { client.Close() })
	return client
}

// flush forgets everything in one database of Redis.
func flush(redisURL string) error {
	o, err := redis.ParseURL(redisURL)
	if err != nil {
		return err
	}
	client := redis.NewClient(o)
	return errors.Join(client.FlushDB(context.Background()).Err(), client.Close())
}
