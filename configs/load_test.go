package configs_test

import (
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/configs"
	"github.com/google/go-cmp/cmp"
)

// defaults is what default.yaml says, written out once more: who changes a
// default changes it in both places, and knows that users notice.
func defaults() configs.Config {
	return configs.Config{
		Billing:   configs.Billing{TimeZone: time.UTC},
		Rating:    configs.Rating{FutureTolerance: 5 * time.Minute},
		Limits:    configs.Limits{Scope: configs.PerAccount},
		Credit:    configs.Credit{Sweep: "@every 1m"},
		Scheduler: configs.Scheduler{Charge: "*/5 * * * *", MaxCatchUp: 31, TimeZone: time.UTC},
		Notices:   configs.Notices{Keep: 168 * time.Hour},
		Feed:      configs.Feed{BatchRecords: 1000, BatchWait: 10 * time.Millisecond},
		Queue:     configs.Queue{Shards: 8},
		Worker:    configs.Worker{BatchesPerCommit: 8, CacheAccounts: 200_000, Lease: 6 * time.Second},
		HTTP:      configs.HTTP{Listen: "127.0.0.1:8080", RatePerSecond: 200, RateBurst: 400, FailuresPerMinute: 600, BodyBytesMax: 4 << 20, UsageBytesMax: 1 << 30, BacklogRecordsMax: 5_000_000},
		Log:       configs.Log{Level: slog.LevelInfo, Format: configs.LogText},
	}
}

func TestDefaults(t *testing.T) {
	got, err := configs.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	diff(t, got, defaults())
}

func TestFileOverridesDefaultsAndEnvironmentTheFile(t *testing.T) {
	path := write(t, `
# comments and empty sections are fine
credit:
rating:
  lateness: 720h
  enforce_threshold: true
queue: {shards: 16}
billing: {time_zone: "Europe/Athens"}
database_url: postgres://file/db
redis_url: redis://file:6379/0
`)
	got, err := configs.Load(path, []string{
		"CHARGEHAND_RATING_LATENESS=1h", "CHARGEHAND_LOG_LEVEL=debug", "CHARGEHAND_LOG_FORMAT=json",
		"DATABASE_URL=postgres://plain/db", "REDIS_URL=redis://plain:6379/0", "CHARGEHAND_REDIS_URL=redis://own:6379/0",
		"CHARGEHAND_CONFIG=ours.yaml", "HOME=/root", "CHARGEHAND_QUEUE_SHARDS=",
	}, "CHARGEHAND_CONFIG")
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Rating.Lateness = time.Hour
	want.Rating.EnforceThreshold = true
	want.Queue.Shards = 16
	want.Log = configs.Log{Level: slog.LevelDebug, Format: configs.LogJSON}
	want.DatabaseURL = "postgres://plain/db"
	want.RedisURL = "redis://own:6379/0"
	if want.Billing.TimeZone, err = time.LoadLocation("Europe/Athens"); err != nil {
		t.Fatal(err)
	}
	diff(t, got, want)
}

func TestEmptyFileChangesNothing(t *testing.T) {
	for _, content := range []string{"", "# nothing but a comment\n", "---\n"} {
		got, err := configs.Load(write(t, content), nil)
		if err != nil {
			t.Fatalf("%q: %v", content, err)
		}
		diff(t, got, defaults())
	}
}

func TestFaultsInTheFileNamePlaceKeyAndWhatIsAllowed(t *testing.T) {
	for _, test := range []struct {
		name, content, want string
	}{
		{"misspelt key", "rating:\n  latness: 5s\n", `:2: rating.latness: unknown key; did you mean rating.lateness?`},
		{"misspelt section", "ratng:\n  lateness: 5s\n", `:1: ratng: unknown key; did you mean rating?`},
		{"key without its section", "lateness: 5s\n", `:1: lateness: unknown key; did you mean rating.lateness?`},
		{"key of nothing we know", "colour: blue\n", `:1: colour: unknown key`},
		{"doubled key", "queue:\n  shards: 4\n  shards: 8\n", `:3: queue.shards: already set in line 2`},
		{"doubled section", "queue: {shards: 4}\nqueue: {shards: 8}\n", `:2: queue: already set in line 1`},
		{"value in place of a section", "queue: 4\n", `:1: queue: want keys below it`},
		{"section in place of a value", "queue:\n  shards: {a: 1}\n", `:2: queue.shards: want a single value`},
		{"no value", "queue:\n  shards:\n", `:2: queue.shards: want a single value`},
		{"list at the top", "- a\n", `:1: configuration: want keys below it`},
		{"two documents", "queue: {shards: 4}\n---\nqueue: {shards: 8}\n", `: want one YAML document, found more`},
		{"no shards", "queue: {shards: 0}\n", `:1: queue.shards: "0" is not allowed: want a whole number from 1 to 256`},
		{"half a shard", "queue: {shards: 1.5}\n", `"1.5" is not allowed`},
		{"negative duration", "rating: {lateness: -1s}\n", `rating.lateness: "-1s" is not allowed: want a duration of at least 0s`},
		{"duration without unit", "rating: {lateness: 5}\n", `"5" is not allowed: want a duration`},
		{"lease below a second", "worker: {lease: 999ms}\n", `want a duration of at least 1s`},
		{"unknown zone", "billing: {time_zone: Europe/Nowhere}\n", `"Europe/Nowhere" is not allowed: want the IANA name`},
		{"the machine's zone", "billing: {time_zone: Local}\n", `"Local" is not allowed: want the IANA name`},
		{"the machine's zone as a file", "billing: {time_zone: localtime}\n", `"localtime" is not allowed: want the IANA name`},
		{"a zone with leap seconds", "scheduler: {time_zone: right/UTC}\n", `"right/UTC" is not allowed: want the IANA name`},
		{"yes for true", "rating: {enforce_threshold: yes}\n", `"yes" is not allowed: want true or false`},
		{"unknown scope", "limits: {scope: global}\n", `"global" is not allowed: want per_account or all_accounts`},
		{"no schedule", "credit: {sweep: \"\"}\n", `credit.sweep: "" is not allowed: want a cron schedule`},
		{"address without port", "http: {listen: localhost}\n", `"localhost" is not allowed: want host:port`},
		{"port out of range", "http: {listen: \":65536\"}\n", `want host:port`},
		{"unknown level", "log: {level: loud}\n", `"loud" is not allowed: want debug, info, warn or error`},
	} {
		t.Run(test.name, func(t *testing.T) {
			path := write(t, test.content)
			_, err := configs.Load(path, nil)
			if err == nil || !strings.HasPrefix(err.Error(), path+":") || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with the file's name and %q", err, test.want)
			}
		})
	}
}

func TestBoundsAreAllowed(t *testing.T) {
	for _, content := range []string{
		"queue: {shards: 1}", "queue: {shards: 256}", "worker: {cache_accounts: 0}", "worker: {lease: 1s}",
		"rating: {lateness: 0}", "http: {listen: \":0\"}", "http: {listen: \"[::1]:65535\"}",
	} {
		if _, err := configs.Load(write(t, content), nil); err != nil {
			t.Errorf("%s: got %v, want it taken", content, err)
		}
	}
}

func TestFaultsInTheEnvironmentNameTheVariable(t *testing.T) {
	for _, test := range []struct {
		name, entry, want string
	}{
		{"misspelt", "CHARGEHAND_RATING_LATNESS=5s", "CHARGEHAND_RATING_LATNESS: unknown; did you mean CHARGEHAND_RATING_LATENESS?"},
		{"unknown", "CHARGEHAND_COLOUR=blue", "CHARGEHAND_COLOUR: unknown"},
		{"not allowed", "CHARGEHAND_QUEUE_SHARDS=many", `CHARGEHAND_QUEUE_SHARDS: queue.shards: "many" is not allowed`},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := configs.Load("", []string{test.entry})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got %v, want an error with %q", err, test.want)
			}
		})
	}
}

func TestMissingFileIsAnError(t *testing.T) {
	if _, err := configs.Load(filepath.Join(t.TempDir(), "none.yaml"), nil); err == nil {
		t.Error("got nil, want an error")
	}
}

// Every key of default.yaml has a comment of its own: it is the reference.
func TestEveryDefaultIsExplained(t *testing.T) {
	content, err := os.ReadFile("default.yaml")
	if err != nil {
		t.Fatal(err)
	}
	above := ""
	for i, line := range strings.Split(string(content), "\n") {
		trimmed := strings.TrimSpace(line)
		isKey := trimmed != "" && !strings.HasPrefix(trimmed, "#") && !strings.HasSuffix(trimmed, ":")
		if isKey && !strings.HasPrefix(strings.TrimSpace(above), "#") {
			t.Errorf("default.yaml:%d: %s has no comment above it", i+1, trimmed)
		}
		above = line
	}
}

func write(t *testing.T, content string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chargehand.yaml")
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

func diff(t *testing.T, got, want configs.Config) {
	t.Helper()
	zones := cmp.Comparer(func(a, b *time.Location) bool { return a.String() == b.String() })
	if d := cmp.Diff(want, got, zones); d != "" {
		t.Errorf("configuration (-want +got):\n%s", d)
	}
}
