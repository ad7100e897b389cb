package queue_test

import (
	"fmt"
	"testing"

	"github.com/chargehand/chargehand/queue"
)

// TestShardNeverChanges holds values that batches on production queues were put
// by. One that differs is a bug in Shard, never in this test.
func TestShardNeverChanges(t *testing.T) {
	for _, tc := range []struct {
		account      string
		shards, want int
	}{
		{"ACR0000001526", 16, 2},
		{"ACR0000001527", 16, 7},
		{"ACR0000001526", 64, 34},
		{"ACR0000001526", 7, 4},
		{"", 16, 9}, // xxHash of nothing is ef46db3751d8e999
		{"Zoë", 16, 1},
		{"ACR0000001526", 1, 0},
		{"ACR0000001526", 0, 0},
	} {
		if got := queue.Shard(tc.account, tc.shards); got != tc.want {
			t.Errorf("shard of %q among %d: got %d, want %d", tc.account, tc.shards, got, tc.want)
		}
	}
}

// TestShardsAreEven counts accounts of which numbers have a pattern. With 2,000
// a shard, chance alone rarely strays by 8 % (3.5 standard deviations).
func TestShardsAreEven(t *testing.T) {
	const shards, each = 16, 2000
	for name, format := range map[string]string{
		"in sequence":        "ACR%010d",
		"in steps of 16":     "ACR%09x0",
		"numbers only":       "%d",
		"with a check digit": "%d-7",
	} {
		t.Run(name, func(t *testing.T) {
			var counts [shards]int
			for i := range shards * each {
				counts[queue.Shard(fmt.Sprintf(format, i), shards)]++
			}
			for shard, n := range counts {
				if n < each*92/100 || n > each*108/100 {
					t.Errorf("shard %d has %d accounts, want about %d", shard, n, each)
				}
			}
		})
	}
}

func TestName(t *testing.T) {
	for shard, want := range map[int]string{
		0: "usage-00", 9: "usage-09", 10: "usage-10", 99: "usage-99", 100: "usage-100", 1023: "usage-1023",
	} {
		if got := queue.Name(shard); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
