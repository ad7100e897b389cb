package configs

import (
	"errors"
	"fmt"
	"log/slog"
	"net"
	"slices"
	"strconv"
	"strings"
	"time"
)

// setting is one key and how its text is read.
type setting struct {
	key string

	// set checks the text and stores its value. Its error says what is allowed;
	// the caller adds the key, the text and the place.
	set func(text string) error
}

// settings lists every key there is, in the order of default.yaml, each bound to
// its field of the configuration.
func settings(c *Config) []setting {
	return []setting{
		{key: "database_url", set: text(&c.DatabaseURL)},
		{key: "redis_url", set: text(&c.RedisURL)},
		{key: "billing.time_zone", set: zone(&c.Billing.TimeZone)},
		{key: "rating.lateness", set: duration(&c.Rating.Lateness, 0)},
		{key: "rating.future_tolerance", set: duration(&c.Rating.FutureTolerance, 0)},
		{key: "rating.enforce_threshold", set: boolean(&c.Rating.EnforceThreshold)},
		{key: "limits.scope", set: choice(&c.Limits.Scope, PerAccount, AllAccounts)},
		{key: "credit.sweep", set: schedule(&c.Credit.Sweep)},
		{key: "credit.hold_on_debit", set: boolean(&c.Credit.HoldOnDebit)},
		{key: "scheduler.charge", set: schedule(&c.Scheduler.Charge)},
		{key: "scheduler.max_catch_up", set: number(&c.Scheduler.MaxCatchUp, between{1, 10_000})},
		{key: "scheduler.time_zone", set: zone(&c.Scheduler.TimeZone)},
		{key: "notices.webhooks", set: text(&c.Notices.Webhooks)},
		{key: "notices.keep", set: duration(&c.Notices.Keep, time.Minute)},
		{key: "audit.keep_days", set: number(&c.Audit.KeepDays, between{0, 36_500})},
		{key: "feed.batch_records", set: number(&c.Feed.BatchRecords, between{1, 10_000})},
		{key: "feed.batch_wait", set: duration(&c.Feed.BatchWait, 0)},
		{key: "queue.shards", set: number(&c.Queue.Shards, between{1, 256})},
		{key: "worker.batches_per_commit", set: number(&c.Worker.BatchesPerCommit, between{1, 64})},
		{key: "worker.cache_accounts", set: number(&c.Worker.CacheAccounts, between{0, 100_000_000})},
		{key: "worker.lease", set: duration(&c.Worker.Lease, time.Second)},
		{key: "http.listen", set: address(&c.HTTP.Listen)},
		{key: "http.tls_certificate", set: text(&c.HTTP.TLSCertificate)},
		{key: "http.tls_key", set: text(&c.HTTP.TLSKey)},
		{key: "http.rate_per_second", set: number(&c.HTTP.RatePerSecond, between{0, 1_000_000})},
		{key: "http.rate_burst", set: number(&c.HTTP.RateBurst, between{1, 1_000_000})},
		{key: "http.failed_admissions_per_minute", set: number(&c.HTTP.FailuresPerMinute, between{0, 1_000_000})},
		{key: "http.body_bytes_max", set: number(&c.HTTP.BodyBytesMax, between{1 << 10, 1 << 30})},
		{key: "http.usage_bytes_max", set: number(&c.HTTP.UsageBytesMax, between{1 << 10, 1 << 40})},
		{key: "http.backlog_records_max", set: number(&c.HTTP.BacklogRecordsMax, between{1, 1_000_000_000})},
		{key: "metrics.listen", set: none(address(&c.Metrics.Listen))},
		{key: "log.level", set: level(&c.Log.Level)},
		{key: "log.format", set: choice(&c.Log.Format, LogText, LogJSON)},
	}
}

// text takes anything: addresses are judged by who connects. They may hold a
// password, so they must never be refused here, where errors show the value.
func text(to *string) func(string) error {
	return func(text string) error {
		*to = text
		return nil
	}
}

// schedule takes anything that is not empty; whether it is a cron schedule is
// the scheduler's to judge.
func schedule(to *string) func(string) error {
	return func(text string) error {
		if strings.TrimSpace(text) == "" {
			return errors.New(`want a cron schedule, like "*/5 * * * *" or "@every 1m"`)
		}
		*to = text
		return nil
	}
}

func boolean(to *bool) func(string) error {
	return func(text string) error {
		if text != "true" && text != "false" {
			return errors.New("want true or false")
		}
		*to = text == "true"
		return nil
	}
}

func duration(to *time.Duration, atLeast time.Duration) func(string) error {
	return func(text string) error {
		d, err := time.ParseDuration(text)
		if err != nil || d < atLeast {
			return fmt.Errorf("want a duration of at least %s, like 300ms, 5s, 10m or 24h", atLeast)
		}
		*to = d
		return nil
	}
}

// between is a range of numbers, both ends included.
type between struct{ low, high int }

func number(to *int, allowed between) func(string) error {
	return func(text string) error {
		n, err := strconv.Atoi(text)
		if err != nil || n < allowed.low || n > allowed.high {
			return fmt.Errorf("want a whole number from %d to %d", allowed.low, allowed.high)
		}
		*to = n
		return nil
	}
}

// zone refuses what may lie beside the zones: the machine's own, which is another
// one elsewhere, and copies whose days have leap seconds (as billing.LoadZone).
func zone(to **time.Location) func(string) error {
	return func(text string) error {
		location, err := time.LoadLocation(text)
		directory, _, _ := strings.Cut(text, "/")
		if err != nil || slices.Contains([]string{"", "Local", "localtime", "posix", "posixrules", "right"}, directory) {
			return errors.New("want the IANA name of a time zone, like UTC or Europe/Athens")
		}
		*to = location
		return nil
	}
}

func choice[T ~string](to *T, allowed ...T) func(string) error {
	return func(text string) error {
		names := make([]string, 0, len(allowed))
		for _, name := range allowed {
			if text == string(name) {
				*to = name
				return nil
			}
			names = append(names, string(name))
		}
		return fmt.Errorf("want %s", strings.Join(names, " or "))
	}
}

func level(to *slog.Level) func(string) error {
	return func(text string) error {
		levels := map[string]slog.Level{"debug": slog.LevelDebug, "info": slog.LevelInfo, "warn": slog.LevelWarn, "error": slog.LevelError}
		l, ok := levels[text]
		if !ok {
			return errors.New("want debug, info, warn or error")
		}
		*to = l
		return nil
	}
}

// none leaves a setting alone where its value is empty.
func none(set func(string) error) func(string) error {
	return func(text string) error {
		if text == "" {
			return nil
		}
		return set(text)
	}
}

func address(to *string) func(string) error {
	return func(text string) error {
		_, port, err := net.SplitHostPort(text)
		if err == nil {
			_, err = strconv.ParseUint(port, 10, 16)
		}
		if err != nil {
			return errors.New("want host:port, like 127.0.0.1:8080, or :8080 for every interface")
		}
		*to = text
		return nil
	}
}
