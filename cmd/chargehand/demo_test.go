package main

import (
	"bytes"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/configs"
	"github.com/chargehand/chargehand/feed"
	"github.com/chargehand/chargehand/setup"
)

func TestTheDemosPriceBookStandsByItself(t *testing.T) {
	book, err := setup.Parse("demo.yaml", configs.Demo)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := book.Resolve(setup.Catalogue{}); err != nil {
		t.Fatal(err)
	}
	for _, s := range book.Services {
		if _, known := demoUses[s.Code]; !known {
			t.Errorf("service %s: the demo's feed does not use it", s.Code)
		}
	}
	if len(demoUses) != len(book.Services) {
		t.Errorf("the demo's feed knows %d services, the book %d", len(demoUses), len(book.Services))
	}
}

func TestTheDemoDealsAccountsOut(t *testing.T) {
	for _, accounts := range []int{1, 7, 8, 500} {
		whole, all, err := demoSetup(accounts, time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC))
		if err != nil {
			t.Fatal(err)
		}
		if len(all) != accounts {
			t.Errorf("got %d accounts, want %d", len(all), accounts)
		}
		for _, c := range whole.Customers {
			for _, s := range c.Accounts[0].PeriodicServices {
				if s.StartsOn != billing.DateOf(2026, time.February, 9) {
					t.Errorf("account %s: got %s from %s on, want it twenty days before", c.Accounts[0].Number, s.Name, s.StartsOn)
				}
			}
		}
		if _, err := whole.Resolve(setup.Catalogue{}); err != nil {
			t.Errorf("%d accounts: %v", accounts, err)
		}
	}
}

func TestTheDemosFeedIsTheSameEveryTime(t *testing.T) {
	const lines = 20_000
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	write := func() []byte {
		_, accounts, err := demoSetup(50, now)
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := newDemoFeed(accounts, now.Add(-demoSpan), now).write(&out, lines); err != nil {
			t.Fatal(err)
		}
		return out.Bytes()
	}
	first := write()
	if !bytes.Equal(first, write()) {
		t.Error("two feeds of one seed differ")
	}
	seen := map[string]bool{}
	read, unreadable, doubled := 0, 0, 0
	for line, err := range feed.Read(bytes.NewReader(first), feed.Options{}) {
		if err != nil {
			t.Fatal(err)
		}
		if read++; line.Fault != nil {
			unreadable++
			continue
		}
		key := line.Record.Account + "/" + line.Record.Source + "/" + line.Record.ID
		if seen[key] {
			doubled++
		}
		seen[key] = true
	}
	if read != lines {
		t.Errorf("got %d lines, want %d", read, lines)
	}
	if unreadable == 0 || unreadable > lines/100 {
		t.Errorf("%d of %d lines are unreadable, want a few", unreadable, lines)
	}
	if doubled < lines/25 || doubled > lines/15 {
		t.Errorf("%d of %d records come again, want about 5 %%", doubled, lines)
	}
}
