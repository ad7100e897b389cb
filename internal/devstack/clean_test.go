package devstack_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/chargehand/chargehand/internal/devstack"
)

func TestCleanRemovesOnlyWhatIsOurs(t *testing.T) {
	dir := t.TempDir()
	ours, others := filepath.Join(dir, "ours"), filepath.Join(dir, "others")
	for _, path := range []string{ours, others} {
		if err := os.Mkdir(path, 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(path, "data"), nil, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.WriteFile(filepath.Join(ours, "devstack.lock"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := devstack.Clean(others); err == nil {
		t.Error("a folder that holds something else: got no error")
	}
	if _, err := os.Stat(filepath.Join(others, "data")); err != nil {
		t.Errorf("what was somebody else's is gone: %v", err)
	}
	if err := devstack.Clean(ours); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(ours); !os.IsNotExist(err) {
		t.Errorf("ours is still there: %v", err)
	}
	if err := devstack.Clean(ours); err != nil {
		t.Errorf("a folder that is not there: %v", err)
	}
}
