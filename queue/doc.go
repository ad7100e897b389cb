// Package queue is the reminder: it tells a worker that a batch of usage records
// waits, and it is the only room that knows asynq and Redis.
//
// PostgreSQL remembers, Redis only reminds. A batch is stored before it is
// enqueued, a worker can rate it from there without any task, and nothing in
// Redis — no claim, lock, counter or missing task — ever decides about money.
// So the room owes its callers very little, and that little always:
//
// A task that was enqueued is delivered at least once while Redis keeps it, and
// is never given up by the queue itself. That is the one invariant. More
// deliveries, late ones and ones out of order happen and must not matter.
//
// # Protocol
//
// An account belongs to one shard ([Shard]), a shard is one asynq queue
// ([Name]), and one worker at a time consumes a shard ([Client.Consume]). On a
// Redis Cluster all keys of a queue lie in one slot, so shards spread over nodes.
//
// A task has the type [TaskType], the id of its batch, and the payload
//
//	{"v":1,"batch":"<uuid>","records":[…]}
//
// with the records as a feed sent them. Without records it is a nudge: read the
// batch, and what else of the shard was accepted before it, from PostgreSQL.
//
// An id that is taken means that a reminder is there already: [Client.Enqueue]
// reports success. The one there may be dead, active without a worker or filed
// away by a person; who suspects that sends a nudge ([Client.Nudge]), which has an id of
// its own.
//
// A handler that returns nil acknowledges: it does so after its commit, never
// before. Any other result brings the task back, at once if a worker died, after
// one to ten seconds otherwise, without end: asynq's archive forgets silently
// and is not used. What must not come back is kept as a dead letter by the
// handler, which then returns [GiveUp].
//
// # What asynq does, and what is done about it
//
//   - It does not repeat an acknowledgement that Redis did not take: its context
//     is cancelled before the repeat. Here the connection repeats it (link.go).
//   - It notices a dead worker after 60 to 120 seconds, or when a consumer of the
//     shard starts, and counts that as a failure; here it is none (retry.go).
//   - It abandons a handler whose task timed out or whose lease was lost, and goes
//     on. Here Consume does not return before such a handler has.
//   - It can wait for ever for a Redis that does not answer, even when told to
//     stop. Here stopping has a bound (consume.go).
package queue
