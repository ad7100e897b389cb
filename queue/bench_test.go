package queue_test

import (
	"context"
	"fmt"
	"sync"
	"testing"

	"github.com/google/uuid"

	"github.com/chargehand/chargehand/queue"
)

// BenchmarkNoop is the ceiling that the queue sets: batches are enqueued, fetched
// by handlers that do nothing and acknowledged, on a Redis that keeps them in its
// append-only file. The pipeline can be no faster.
func BenchmarkNoop(b *testing.B) {
	for _, size := range []int{1, 100, 1000} {
		b.Run(fmt.Sprintf("records=%d", size), func(b *testing.B) { noop(b, size) })
	}
}

func noop(b *testing.B, size int) {
	const (
		shards      = 4
		concurrency = 2
		underway    = 64 // bounds the memory of Redis: a batch of 1,000 has 150 kB
	)
	c := connect(b, realRedis(b).RedisURL)
	array := records(size)
	places := make(chan struct{}, underway)
	var left, all sync.WaitGroup
	ctx, cancel := context.WithCancel(context.Background())
	for shard := range shards {
		all.Go(func() {
			err := c.Consume(ctx, shard, concurrency, func(context.Context, queue.Task) error {
				<-places
				left.Done()
				return nil
			})
			if err != nil {
				b.Error(err)
			}
		})
	}
	b.SetBytes(int64(len(array)))
	i := 0
	for b.Loop() {
		left.Add(1)
		places <- struct{}{}
		batch := uuid.Must(uuid.NewV7())
		shard := i % shards
		i++
		all.Go(func() {
			if err := c.Enqueue(ctx, shard, queue.Encode(batch, array), batch); err != nil {
				b.Error(err)
				<-places
				left.Done()
			}
		})
	}
	left.Wait()
	b.ReportMetric(float64(b.N*size)/b.Elapsed().Seconds(), "records/s")
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "tasks/s")
	cancel()
	all.Wait()
}
