package main

import (
	"strings"
	"testing"
	"time"

	"github.com/chargehand/chargehand/billing"
	"github.com/google/go-cmp/cmp"
)

func TestTablesLineUp(t *testing.T) {
	var out strings.Builder
	p := (&page{to: &out}).indented("  ")
	table := p.table("account", ">balance", "note")
	table.row("A1", "12.50", "größer")
	table.row("A1000", "-3", "")
	table.end()
	want := "" +
		"  ACCOUNT  BALANCE  NOTE\n" +
		"  A1         12.50  größer\n" +
		"  A1000         -3\n"
	if diff := cmp.Diff(out.String(), want); diff != "" {
		t.Error(diff)
	}
}

func TestATableWithoutRowsPrintsNothing(t *testing.T) {
	var out strings.Builder
	table := (&page{to: &out}).table("account")
	if !table.empty() {
		t.Error("a table without rows is not empty")
	}
	table.end()
	if out.Len() > 0 {
		t.Errorf("got %q", out.String())
	}
}

func TestALongTableGoesOutAsItComes(t *testing.T) {
	var out strings.Builder
	table := (&page{to: &out}).table("n")
	for i := range tableRows {
		table.row(i)
	}
	if got := strings.Count(out.String(), "\n"); got != tableRows+1 {
		t.Errorf("got %d lines before the end, want %d", got, tableRows+1)
	}
	table.row("last")
	table.end()
	if !strings.HasSuffix(out.String(), "last\n") || strings.Count(out.String(), "N\n") != 1 {
		t.Errorf("ends in %q", out.String()[out.Len()-10:])
	}
}

func TestAmountsHaveTheDigitsOfTheirCurrency(t *testing.T) {
	for _, c := range []struct {
		amount, currency, want string
	}{
		{"12.5", "EUR", "12.50 EUR"},
		{"12.345678", "EUR", "12.345678 EUR"},
		{"-900", "JPY", "-900 JPY"},
		{"0.085", "KWD", "0.085 KWD"},
		{"1", "KWD", "1.000 KWD"},
	} {
		m, err := billing.ParseMoney(c.amount)
		if err != nil {
			t.Fatal(err)
		}
		if got := money(m, c.currency); got != c.want {
			t.Errorf("got %s, want %s", got, c.want)
		}
	}
}

func TestNumbersAreGrouped(t *testing.T) {
	for n, want := range map[int64]string{0: "0", 999: "999", 1000: "1,000", -1234567: "-1,234,567", 100000: "100,000"} {
		if got := grouped(n); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}

func TestDurationsAreBrief(t *testing.T) {
	for d, want := range map[time.Duration]string{
		1234567: "1ms", 123456789: "123ms", 12345678901: "12.35s", 754 * time.Second: "12m34s",
	} {
		if got := brief(d); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
