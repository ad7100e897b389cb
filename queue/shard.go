package queue

import (
	"fmt"

	"github.com/cespare/xxhash/v2"
)

// Shard says which of shards queues carries the usage of an account, given by
// its number as sent: from 0, below shards. Less than two shards are one.
//
// It is the 64-bit xxHash of the number, seed 0, modulo shards, and must never
// change: batches wait under the old shard while workers already ask for the
// new one. FNV-1a was rejected because its low bits are a function of the
// characters' low bits only, so that account numbers with a pattern crowd.
func Shard(account string, shards int) int {
	if shards < 2 {
		return 0
	}
	return int(xxhash.Sum64String(account) % uint64(shards))
}

// Name is the asynq queue of a shard: usage-00, usage-01, … and usage-100 after
// usage-99. It does not depend on how many shards there are, or raising their
// number would orphan what waits in all of them.
func Name(shard int) string {
	return fmt.Sprintf("usage-%02d", shard)
}
