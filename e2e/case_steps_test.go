package e2e_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"testing"
)

// step is one object of a case's steps: one of these, and for apply a time.
type step struct {
	Ingest    []json.RawMessage
	Sweep     string
	Charge    string
	Pay       *change
	Adjust    *change
	Hold      *change
	Release   *change
	Delete    *change
	Set       *change
	Limits    *change
	Remaining *change
	Link      *change
	Apply     json.RawMessage
	At        string
	Rerate    *correction
	Cancel    *correction
	Parallel  []step
}

// change is what a step does to, or asks of, an account.
type change struct {
	Account         string
	Amount          string
	Key             string
	Note            string
	Threshold       string
	CreditLimit     string `json:"credit_limit"`
	Class           string
	TimeZone        string `json:"time_zone"`
	CycleDay        any    `json:"cycle_day"`
	Body            json.RawMessage
	Service         string
	PeriodicService *periodic `json:"periodic_service"`
	At              string
}

// periodic is a periodic service that is linked by a step.
type periodic struct {
	Name      string
	Price     string
	Period    string
	Every     any
	StartsOn  string `json:"starts_on"`
	EndsOn    string `json:"ends_on"`
	AnchorDay any    `json:"anchor_day"`
	Prorate   bool
}

// correction is a re-rate or a cancel.
type correction struct {
	Record   string
	Account  string
	Service  string
	From     string
	To       string
	Reason   string
	Rejected bool
	Note     string
}

// call is a command line that carries a step out.
type call struct {
	args  []string
	stdin string
}

func (s step) ingests() bool {
	for _, one := range s.Parallel {
		if one.ingests() {
			return true
		}
	}
	return s.Ingest != nil
}

// call is the step's command line; its files bear the step's number.
func (s step) call(c *caseRun, number int) call {
	c.t.Helper()
	asJSON := "--json"
	switch {
	case s.Ingest != nil:
		return call{[]string{"ingest", "-", "--wait", "--timeout", "1m", asJSON}, lines(c.t, s.Ingest)}
	case s.Sweep != "":
		return call{args: []string{"sweep", "--at", s.Sweep, asJSON}}
	case s.Charge != "":
		return call{args: []string{"charge", "--at", s.Charge, asJSON}}
	case s.Apply != nil:
		args := []string{"apply", "-f", c.file(fmt.Sprintf("apply-%d.json", number), string(s.Apply)), asJSON}
		return call{args: append(args, flags("--at", s.At)...)}
	case s.Rerate != nil:
		return call{args: append([]string{"rerate", asJSON}, s.Rerate.flags()...)}
	case s.Cancel != nil:
		return call{args: append([]string{"cancel", asJSON}, s.Cancel.flags()...)}
	}
	return call{args: append(s.changeArgs(c, number), asJSON)}
}

// changeArgs is the command line of a step about one account.
func (s step) changeArgs(c *caseRun, number int) []string {
	c.t.Helper()
	money := func(word string, g *change) []string {
		return append([]string{"account", word, g.Account, g.Amount}, flags("--key", g.Key, "--note", g.Note, "--at", g.At)...)
	}
	status := func(word string, g *change) []string {
		return append([]string{"account", word, g.Account}, flags("--note", g.Note, "--at", g.At)...)
	}
	switch {
	case s.Pay != nil:
		return money("pay", s.Pay)
	case s.Adjust != nil:
		return money("adjust", s.Adjust)
	case s.Hold != nil:
		return status("hold", s.Hold)
	case s.Release != nil:
		return status("release", s.Release)
	case s.Delete != nil:
		return status("delete", s.Delete)
	case s.Set != nil:
		g := s.Set
		return append([]string{"account", "set", g.Account}, flags("--threshold", g.Threshold, "--credit-limit", g.CreditLimit,
			"--class", g.Class, "--time-zone", g.TimeZone, "--cycle-day", text(g.CycleDay), "--at", g.At)...)
	case s.Limits != nil:
		g := s.Limits
		file := c.file(fmt.Sprintf("limits-%d.json", number), string(g.Body))
		return append([]string{"limits", "set", g.Account, "-f", file}, flags("--at", g.At)...)
	case s.Remaining != nil:
		g := s.Remaining
		return append([]string{"limits", "remaining", g.Account}, flags("--service", g.Service, "--at", g.At)...)
	case s.Link != nil:
		return s.Link.linkArgs()
	}
	c.t.Fatalf("step %d: nothing to do", number)
	return nil
}

func (g *change) linkArgs() []string {
	if p := g.PeriodicService; p != nil {
		args := append([]string{"account", "link", g.Account, "periodic", p.Name}, flags("--price", p.Price, "--period", p.Period,
			"--every", text(p.Every), "--starts-on", p.StartsOn, "--ends-on", p.EndsOn, "--anchor-day", text(p.AnchorDay), "--at", g.At)...)
		if p.Prorate {
			args = append(args, "--prorate")
		}
		return args
	}
	return append([]string{"account", "link", g.Account, "service", g.Service}, flags("--at", g.At)...)
}

func (g *correction) flags() []string {
	args := flags("--record", g.Record, "--account", g.Account, "--service", g.Service, "--from", g.From, "--to", g.To,
		"--reason", g.Reason, "--note", g.Note)
	if g.Rejected {
		args = append(args, "--rejected")
	}
	return args
}

// flags leaves out the flags whose value, which follows each, is empty.
func flags(pairs ...string) (args []string) {
	for i := 0; i < len(pairs); i += 2 {
		if pairs[i+1] != "" {
			args = append(args, pairs[i], pairs[i+1])
		}
	}
	return args
}

// text is a value of a case as it is typed; a missing one is empty.
func text(v any) string {
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

// lines is the records of a batch as NDJSON; a string is a line as it stands.
func lines(t testing.TB, records []json.RawMessage) string {
	t.Helper()
	var b bytes.Buffer
	for _, r := range records {
		var line string
		if json.Unmarshal(r, &line) == nil {
			b.WriteString(line)
		} else if err := json.Compact(&b, r); err != nil {
			t.Fatal(err)
		}
		b.WriteByte('\n')
	}
	return b.String()
}
