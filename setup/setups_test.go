package setup_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/chargehand/chargehand/setup"
	"github.com/google/go-cmp/cmp"
)

func TestSetupsAreTaken(t *testing.T) {
	for name, data := range setups(t) {
		t.Run(name, func(t *testing.T) { whole(t, name, data) })
	}
}

// setups are those of testdata, and those of the acceptance cases where they are
// checked out.
func setups(t testing.TB) map[string][]byte {
	t.Helper()
	all := map[string][]byte{}
	for _, name := range glob(t, "testdata/setups/*.json") {
		all[name] = read(t, name)
	}
	for _, name := range glob(t, "../e2e/testdata/cases/*.json") {
		var c struct{ Setup json.RawMessage }
		if err := json.Unmarshal(read(t, name), &c); err != nil {
			t.Fatal(err)
		}
		if c.Setup != nil {
			all[name] = c.Setup
		}
	}
	return all
}

// whole is a file that refers to nothing outside itself, and that survives being
// written and read in both forms.
func whole(t testing.TB, name string, data []byte) *setup.File {
	t.Helper()
	f, err := setup.Parse(name, data)
	if err != nil {
		t.Fatal(err)
	}
	f, err = f.Resolve(setup.Catalogue{})
	if err != nil {
		t.Fatal(err)
	}
	survives(t, f)
	return f
}

// survives checks that f, resolved, is the same after it was written and read.
func survives(t fatal, f *setup.File) {
	for form, write := range map[string]func() ([]byte, error){"YAML": f.YAML, "JSON": f.JSON} {
		text, err := write()
		if err != nil {
			t.Fatal(err)
		}
		got, err := setup.Parse("export", text)
		if err != nil {
			t.Fatalf("read the export again: %v\n%s", err, text)
		}
		if diff := cmp.Diff(got, f, same...); diff != "" {
			t.Fatalf("%s, read again (-got +want):\n%s\n%s", form, diff, text)
		}
	}
}

// fatal is a test, or one run of a property.
type fatal interface {
	Fatal(args ...any)
	Fatalf(format string, args ...any)
}

func glob(t testing.TB, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(pattern)
	if err != nil {
		t.Fatal(err)
	}
	return names
}

func read(t testing.TB, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
