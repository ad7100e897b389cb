package queue_test

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/uuid"
	"github.com/hibiken/asynq"
	"github.com/redis/go-redis/v9"

	"github.com/chargehand/chargehand/queue"
)

// startCluster joins three servers to a cluster that shares the slots.
func startCluster(t *testing.T) (url string, nodes []server) {
	t.Helper()
	for range 3 {
		bus := freePort(t)
		nodes = append(nodes, startServer(t, "--cluster-enabled", "yes", "--cluster-port", fmt.Sprint(bus)))
	}
	ctx := t.Context()
	const slots = 16384
	for i, n := range nodes {
		r := n.client(t)
		if err := r.ClusterAddSlotsRange(ctx, i*slots/3, (i+1)*slots/3-1).Err(); err != nil {
			t.Fatal(err)
		}
		if err := r.ConfigSet(ctx, "cluster-allow-reads-when-down", "no").Err(); err != nil {
			t.Fatal(err)
		}
	}
	meet(t, nodes)
	for _, n := range nodes {
		r := n.client(t)
		eventually(t, "the cluster is complete", func() bool {
			shards, err := r.ClusterShards(ctx).Result()
			info, infoErr := r.ClusterInfo(ctx).Result()
			return err == nil && infoErr == nil && len(shards) == 3 && len(info) > 16 && info[:16] == "cluster_state:ok"
		})
	}
	return fmt.Sprintf("redis+cluster://%s,%s", nodes[0].addr, nodes[1].addr), nodes
}

// meet introduces the nodes to each other. The port of their bus is not the
// usual one, so each is asked for it.
func meet(t *testing.T, nodes []server) {
	t.Helper()
	first := nodes[0].client(t)
	for _, n := range nodes[1:] {
		bus, err := n.client(t).ConfigGet(t.Context(), "cluster-port").Result()
		if err != nil {
			t.Fatal(err)
		}
		if err := first.Do(t.Context(), "cluster", "meet", "127.0.0.1", n.port, bus["cluster-port"]).Err(); err != nil {
			t.Fatal(err)
		}
	}
}

// TestCluster runs shards that lie on all three nodes.
func TestCluster(t *testing.T) {
	t.Parallel()
	const shards = 8
	url, nodes := startCluster(t)
	c := connect(t, url)
	batches := make(map[string]int)
	for shard := range shards {
		batch := uuid.Must(uuid.NewV7())
		batches[batch.String()] = shard
		for range 2 {
			if err := c.Enqueue(t.Context(), shard, queue.Encode(batch, []byte("[]")), batch); err != nil {
				t.Fatal(err)
			}
		}
	}
	holdsTasks(t, nodes)
	if isIdle(t, c, shards) {
		t.Error("idle with a task on every shard")
	}
	if warnings, err := c.Check(t.Context()); err != nil || len(warnings) > 0 {
		t.Errorf("Check: %v, %v", warnings, err)
	}

	tasks := consumeAll(t, c, shards)
	for range shards {
		task := <-tasks
		if want, ok := batches[task.ID]; !ok || want != task.Shard {
			t.Errorf("task %s came on shard %d, want %d", task.ID, task.Shard, want)
		}
		delete(batches, task.ID)
	}
	eventually(t, "all is acknowledged", func() bool { return isIdle(t, c, shards) })
	all, err := c.Stats(t.Context())
	if err != nil || len(all) != shards {
		t.Fatalf("got %d queues, %v; want %d", len(all), err, shards)
	}
	for shard, s := range all {
		if s.Queue != queue.Name(shard) || s.ProcessedToday != 1 {
			t.Errorf("got %+v, want one task processed on %s", s, queue.Name(shard))
		}
	}
	seenByAsynq(t, nodes, shards)
}

// holdsTasks: every node has some, or the test shows nothing.
func holdsTasks(t *testing.T, nodes []server) {
	t.Helper()
	for _, n := range nodes {
		keys, err := n.client(t).Keys(t.Context(), "asynq:{usage-*}:t:*").Result()
		if err != nil || len(keys) == 0 {
			t.Errorf("node %s holds %d tasks, %v", n.addr, len(keys), err)
		}
	}
}

// consumeAll runs a consumer for every shard and returns what they get.
func consumeAll(t *testing.T, c *queue.Client, shards int) <-chan queue.Task {
	t.Helper()
	tasks := make(chan queue.Task, shards)
	ctx, cancel := context.WithCancel(context.Background())
	var all sync.WaitGroup
	for shard := range shards {
		all.Go(func() {
			err := c.Consume(ctx, shard, 2, func(_ context.Context, task queue.Task) error {
				tasks <- task
				return nil
			})
			if err != nil {
				t.Errorf("Consume: %v", err)
			}
		})
	}
	t.Cleanup(func() {
		cancel()
		all.Wait()
	})
	return tasks
}

// seenByAsynq asks asynq's own Inspector the same.
func seenByAsynq(t *testing.T, nodes []server, shards int) {
	t.Helper()
	r := redis.NewClusterClient(&redis.ClusterOptions{Addrs: []string{nodes[2].addr}})
	defer func() { _ = r.Close() }()
	tool := asynq.NewInspectorFromRedisClient(r)
	names, err := tool.Queues()
	if err != nil || len(names) != shards {
		t.Errorf("asynq's Inspector sees queues %v, %v", names, err)
	}
	servers, err := tool.Servers()
	if err != nil || len(servers) != shards {
		t.Errorf("asynq's Inspector sees %d servers, %v; want %d", len(servers), err, shards)
	}
}

// TestSentinel finds the master through a Sentinel, and finds it again after a
// failover to its replica, with a task in the hands of a handler meanwhile.
func TestSentinel(t *testing.T) {
	t.Parallel()
	master := startServer(t)
	replica := startServer(t, "--replicaof", "127.0.0.1", fmt.Sprint(master.port))
	conf := filepath.Join(t.TempDir(), "sentinel.conf")
	text := fmt.Sprintf("sentinel monitor usage 127.0.0.1 %d 1\nsentinel down-after-milliseconds usage 1000\n", master.port)
	if err := os.WriteFile(conf, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	sentinel := startServer(t, conf, "--sentinel")
	sr := sentinel.client(t)
	eventually(t, "the Sentinel knows the replica", func() bool {
		found, err := sr.Do(t.Context(), "sentinel", "replicas", "usage").Slice()
		return err == nil && len(found) == 1
	})
	c := connect(t, "redis+sentinel://127.0.0.1:1,"+sentinel.addr+"?master=usage")
	enqueue(t, c)
	working, finish := make(chan struct{}), make(chan struct{})
	consume(t, c, 1, func(context.Context, queue.Task) error {
		working <- struct{}{}
		<-finish
		return nil
	})
	<-working
	eventually(t, "the replica has it all", func() bool {
		n, err := replica.client(t).LLen(t.Context(), "asynq:{usage-00}:active").Result()
		return err == nil && n == 1
	})
	eventually(t, "the failover starts", func() bool {
		return sr.Do(t.Context(), "sentinel", "failover", "usage").Err() == nil
	})
	// Until the old master knows that it is none, it takes an acknowledgement
	// and loses it; the task then comes back like a dead worker's.
	rr := replica.client(t)
	hasRole(t, rr, "master")
	hasRole(t, master.client(t), "slave")
	close(finish)
	eventually(t, "the task is acknowledged at the new master", func() bool {
		n, err := rr.LLen(t.Context(), "asynq:{usage-00}:active").Result()
		return err == nil && n == 0
	})
	if s := stats(t, c); s.ProcessedToday != 1 {
		t.Errorf("got %+v, want one task processed", s)
	}
}

func hasRole(t *testing.T, r *redis.Client, want string) {
	t.Helper()
	eventually(t, r.Options().Addr+" is "+want, func() bool {
		role, err := r.Do(t.Context(), "role").Slice()
		return err == nil && role[0] == want
	})
}
