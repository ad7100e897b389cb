package setup_test

import (
	"testing"

	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/setup"
)

func TestTextsAreQuotedWhereTheyNeedIt(t *testing.T) {
	for text, want := range map[string]string{
		"Exxon Unleaded": "Exxon Unleaded",
		"tokens-in/2.0":  "tokens-in/2.0",
		"NO":             `"NO"`, // false to YAML 1.1
		"Null":           `"Null"`,
		"12":             `"12"`,
		"1e3":            `"1e3"`,
		"2026-01-01":     `"2026-01-01"`,
		"a: b":           `"a: b"`,
		"a #b":           `"a #b"`,
		"trailing ":      `"trailing "`,
		"two  blanks":    `"two  blanks"`,
		`"\`:             `"\"\\"`,
		"line\nbreak":    `"line\u000abreak"`,
		"\ufeffÄ😀":       `"\ufeffÄ😀"`,
		"next\u0085line": `"next\u0085line"`, // line breaks to YAML 1.1
		"para\u2029":     `"para\u2029"`,
		"\u2028":         `"\u2028"`,
		"<<":             `"<<"`, // the merge key
		"del\x7f":        `"del\u007f"`,
	} {
		f := setup.File{Families: []billing.Family{{Code: text}}}
		got, err := f.YAML()
		if err != nil {
			t.Fatal(err)
		}
		if want := "families:\n  - {code: " + want + "}\n"; string(got) != want {
			t.Errorf("got %s, want %s", got, want)
		}
		survives(t, &f)
	}
}

func TestExportOfNothing(t *testing.T) {
	var f setup.File
	survives(t, &f)
	if got, err := f.YAML(); string(got) != "{}\n" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestExportRefusesWhatCouldNotBeReadAgain(t *testing.T) {
	f := setup.File{Families: []billing.Family{{Code: "\xff"}}}
	const want = `write a set-up file: "\xff": not UTF-8`
	if _, err := f.YAML(); textOf(err) != want {
		t.Errorf("YAML: got %v, want %s", err, want)
	}
	if _, err := f.JSON(); textOf(err) != want {
		t.Errorf("JSON: got %v, want %s", err, want)
	}
}
