// Package configs holds the settings of an installation: what they are called,
// what they default to, and which values they take.
//
// Defaults are overridden by a file and the file by environment variables. The
// package is strict: an unknown or doubled key, and a value that is not allowed,
// stop the start with the place they stand at. It never looks at the environment
// itself, and knows nothing of what a setting does; cron schedules and server
// addresses are judged by the packages that use them.
package configs

import (
	"log/slog"
	"time"
)

// Config is every setting, with the meaning that default.yaml gives it.
type Config struct {
	DatabaseURL string
	RedisURL    string
	Billing     Billing
	Rating      Rating
	Limits      Limits
	Credit      Credit
	Scheduler   Scheduler
	Notices     Notices
	Audit       Audit
	Feed        Feed
	Queue       Queue
	Worker      Worker
	HTTP        HTTP
	Metrics     Metrics
	Log         Log
}

// Billing is what all accounts share.
type Billing struct {
	TimeZone *time.Location // of accounts that name none (SPEC R2.5)
}

// Rating says which records are judged at all, and how strictly.
type Rating struct {
	Lateness         time.Duration // 0: any (SPEC R5.6)
	FutureTolerance  time.Duration // SPEC R5.6
	EnforceThreshold bool          // SPEC R5.7
}

// Limits says whose the usage allowance limits are.
type Limits struct {
	Scope Scope
}

// Scope is whose the usage allowance limits are (SPEC R4.8).
type Scope string

// The scopes of usage allowance limits.
const (
	PerAccount  Scope = "per_account"
	AllAccounts Scope = "all_accounts"
)

// Credit says when debts are judged (SPEC R6.4).
type Credit struct {
	Sweep       string // a cron schedule
	HoldOnDebit bool
}

// Scheduler says when periodic services are charged (SPEC R7.2).
type Scheduler struct {
	Charge     string // a cron schedule
	MaxCatchUp int    // periods of one service per run, ≥ 1
	TimeZone   *time.Location
}

// Notices says who is told of changes of status and of periodic charges that were
// skipped or not covered.
type Notices struct {
	Webhooks string        // addresses, each followed by its secrets
	Keep     time.Duration // ≥ 1 min
}

// Audit is how long it is kept who changed what.
type Audit struct {
	KeepDays int // 0: for ever
}

// Feed is how records are batched.
type Feed struct {
	BatchRecords int // ≥ 1
	BatchWait    time.Duration
}

// Queue is how batches are spread.
type Queue struct {
	Shards int // ≥ 1
}

// Worker is how batches are committed.
type Worker struct {
	BatchesPerCommit int           // ≥ 1
	CacheAccounts    int           // 0: no cache
	Lease            time.Duration // ≥ 1 s
}

// Metrics is where a process serves what it counts.
type Metrics struct {
	Listen string // host:port; empty: nowhere
}

// HTTP is where the API is served, and what it takes.
type HTTP struct {
	Listen            string // host:port
	TLSCertificate    string // file; empty: without TLS
	TLSKey            string // file
	RatePerSecond     int    // requests of a token; 0: without a bound
	RateBurst         int    // requests of a token at once
	FailuresPerMinute int    // requests of an address without a good token; 0: no bound
	BodyBytesMax      int    // of a request, but for usage
	UsageBytesMax     int    // of a request with usage records
	BacklogRecordsMax int    // records that wait to be judged; past it usage is refused
}

// Log is how much is logged, and in which form.
type Log struct {
	Level  slog.Level
	Format LogFormat
}

// LogFormat is the form of a log line.
type LogFormat string

// The forms of a log line.
const (
	LogText LogFormat = "text"
	LogJSON LogFormat = "json"
)
