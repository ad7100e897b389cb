package setup_test

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
)

// TestFaults holds every file of testdata/faults.txt against the faults that
// follow it there, to the letter: they are what a user has to mend it by.
func TestFaults(t *testing.T) {
	text, err := os.ReadFile("testdata/faults.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range strings.Split(string(text), "\n== ")[1:] {
		name, rest, _ := strings.Cut(c, "\n")
		file, want, _ := strings.Cut(rest, "\n--\n")
		t.Run(name, func(t *testing.T) {
			f, err := setup.Parse("setup.yaml", []byte(file+"\n"))
			if err == nil {
				_, err = f.Resolve(setup.Catalogue{})
			}
			if err == nil {
				t.Fatal("taken")
			}
			got, want := strings.Split(err.Error(), "\n"), strings.Split(strings.TrimSpace(want), "\n")
			if diff := cmp.Diff(got, want); diff != "" {
				t.Errorf("faults (-got +want):\n%s", diff)
			}
		})
	}
}

func TestFaultPointsIntoTheFile(t *testing.T) {
	_, err := setup.Parse("setup.yaml", []byte("customers:\n  - ref: jane\n    accounts: [{number: A1, currency: EUR, a/b~c: 1}]"))
	var got setup.Faults
	if !errors.As(err, &got) || len(got) != 1 {
		t.Fatalf("got %v, want one fault", err)
	}
	want := setup.Fault{
		File: "setup.yaml", Line: 3, Path: `customers[0].accounts[0]."a/b~c"`, Pointer: "/customers/0/accounts/0/a~1b~0c",
		What: "unknown key",
	}
	if diff := cmp.Diff(got[0], want); diff != "" {
		t.Errorf("fault (-got +want):\n%s", diff)
	}
}

func TestTooLargeAFile(t *testing.T) {
	_, err := setup.Parse("setup.yaml", make([]byte, 128<<20+1))
	want := "setup.yaml: 134217729 bytes, at most 134217728 are taken: split the file and apply the parts together"
	if err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestNotUTF8(t *testing.T) {
	_, err := setup.Parse("setup.yaml", []byte("families: [{code: \xff}]"))
	if want := "setup.yaml: not UTF-8: save the file in that encoding"; err == nil || err.Error() != want {
		t.Errorf("got %v, want %s", err, want)
	}
}
