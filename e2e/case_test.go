package e2e_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

// acceptance is one file of testdata/cases; its README says what the keys mean.
type acceptance struct {
	Case   string
	Origin string
	Config map[string]string
	Setup  json.RawMessage
	Steps  []step
	Expect map[string]json.RawMessage
}

// Every case is one installation: a database, a Redis database, a worker.
func TestCases(t *testing.T) {
	paths, err := filepath.Glob("testdata/cases/*.json")
	if err != nil || len(paths) == 0 {
		t.Fatalf("found %d cases, error %v", len(paths), err)
	}
	for _, path := range paths {
		name := strings.TrimSuffix(filepath.Base(path), ".json")
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newCaseRun(t, path).do()
		})
	}
}

// caseRun is a case that is being carried out.
type caseRun struct {
	*site
	acceptance
	printed map[int]told // what each step printed, by its number from 1
}

func newCaseRun(t *testing.T, path string) *caseRun {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	c := &caseRun{printed: map[int]told{}}
	d := json.NewDecoder(strings.NewReader(atClock(string(text), time.Now())))
	d.DisallowUnknownFields()
	if err := d.Decode(&c.acceptance); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	c.site = newSite(t)
	for key, value := range c.Config {
		c.variables = append(c.variables, variable(key)+"="+value)
	}
	slices.Sort(c.variables)
	return c
}

// relative is a time of a case that is counted from the clock.
var relative = regexp.MustCompile(`"now([+-][0-9]+[hms])?"`)

// atClock puts times for now, now-1h and the like, by one reading of the clock
// that is cut to the second.
func atClock(text string, now time.Time) string {
	now = now.UTC().Truncate(time.Second)
	return relative.ReplaceAllStringFunc(text, func(quoted string) string {
		at := now
		if offset := strings.TrimPrefix(strings.Trim(quoted, `"`), "now"); offset != "" {
			d, err := time.ParseDuration(offset)
			if err != nil {
				panic(err) // the expression lets nothing else through
			}
			at = at.Add(d)
		}
		return at.Format(`"` + time.RFC3339 + `"`)
	})
}

// variable is a configuration key as an environment variable.
func variable(key string) string {
	return "CHARGEHAND_" + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func (c *caseRun) do() {
	c.t.Helper()
	c.must("apply", "-f", c.file("setup.json", string(c.Setup)))
	if slices.ContainsFunc(c.Steps, step.ingests) {
		c.start("work")
	}
	for i, s := range c.Steps {
		number := i + 1
		want := c.expected(fmt.Sprintf("after_step_%d", number))
		c.doStep(number, s, want)
		c.compare(fmt.Sprintf("after step %d", number), want, c.printed[number])
		if c.t.Failed() {
			return // what comes later can only be wrong in other words
		}
	}
	end := c.expected("")
	c.compare("at the end", end, told{})
	c.proved()
}

// proved is SPEC §9: verify finds nothing.
func (s *site) proved() {
	s.t.Helper()
	if r := s.run("verify", "--json"); r.status != 0 {
		s.t.Errorf("the ledger is not proved: %s", r)
	}
}

func (c *caseRun) doStep(number int, s step, want expectation) {
	c.t.Helper()
	if s.Parallel != nil {
		c.doAtOnce(number, s.Parallel)
		return
	}
	call := s.call(c, number)
	if !want.Refused {
		c.printed[number] = c.runOn(call.stdin, call.args...)
		if r := c.printed[number]; r.status != 0 {
			c.t.Errorf("step %d: got exit status %d, want 0: %s", number, r.status, r)
		}
		return
	}
	before := c.everything()
	r := c.runOn(call.stdin, call.args...)
	if r.status == 0 {
		c.t.Errorf("step %d: got exit status 0, want it refused: %s", number, r)
	}
	if after := c.everything(); after != before {
		c.t.Errorf("step %d was refused and changed something\nbefore:\n%s\nafter:\n%s", number, before, after)
	}
}

// doAtOnce runs several steps at the same time; each has to succeed.
func (c *caseRun) doAtOnce(number int, steps []step) {
	c.t.Helper()
	ended := make(chan told)
	for i, s := range steps {
		call := s.call(c, 100*number+i)
		go func() { ended <- c.runOn(call.stdin, call.args...) }()
	}
	for range steps {
		if r := <-ended; r.status != 0 {
			c.t.Errorf("step %d, at once with others: got exit status %d, want 0: %s", number, r.status, r)
		}
	}
}

// everything is all that the installation tells of itself, for before and after.
func (s *site) everything() string {
	s.t.Helper()
	parts := []string{s.must("export"), s.must("record", "list", "--json"), s.must("account", "list", "--json"), s.must("dead-letters", "list", "--json")}
	for _, a := range s.list("account", "list") {
		number, _ := a["number"].(string)
		parts = append(parts, s.must("account", "statement", number, "--json"), s.must("account", "history", number, "--json"))
	}
	return strings.Join(parts, "\n")
}
