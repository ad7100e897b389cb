// Package scheduler turns the calendar into work: credit sweeps, periodic charges,
// reminders of batches that got lost, and notices on their way to webhooks.
//
// It decides when, never what is true: a tick asks the database what has come
// due, and versions of accounts and the key of periodic_charges make a tick
// harmless to repeat. Any number of schedulers may run. One of them leads, by a
// lease that only saves work; what was missed while none ran is found by the same
// question at the next tick. So cron is a ticker and a parser here: that it skips
// and doubles ticks where clocks are set forward and back, and forgets what it
// missed, does not matter.
//
// # Protocol
//
// The leader's row in PostgreSQL says who leads, until when, and a fence number
// that rises with every new leader. The leader renews it every five seconds for
// fifteen; the others look every two. A leader that was killed is followed within
// seventeen seconds, one that stops in order within two. Who leads runs every job
// at once and then by its schedule: whatever had come due meanwhile is due still.
//
// Each job has a loop of its own and waits for nobody. A run that failed is tried
// again after five seconds, then ten, up to five minutes, whatever its schedule
// says; it stands in the log of runs with its fault, and stats show it.
//
// A run works through what is due in pages, and through accounts in groups of one
// transaction each. All of an account's due periods are in one of them. A group
// that fails for the sake of one account is done again account by account, so
// that none holds up another.
//
// # Notices
//
// What others are told of is written with what it tells of (postgres/outbox.go).
// The leader makes a delivery of it for every webhook that is configured and
// sends it until the webhook answers with a 2xx: at least once, in no certain
// order, with the same id every time. The tries are spread over eighteen hours;
// then the delivery is dead and waits for a person. Without any webhook notices
// are kept for notices.keep and forgotten, as delivered ones are.
package scheduler
