package devstack

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Clean removes a folder that keeps servers between runs, with all data in it.
// One that is not there is clean; one that holds something else, or whose servers
// run, is refused.
func Clean(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, os.ErrNotExist) || err == nil && len(entries) == 0 {
		return nil
	}
	if err != nil {
		return fmt.Errorf("clean %s: %w", dir, err)
	}
	name := filepath.Join(dir, lockName)
	if _, err := os.Lstat(name); err != nil {
		return fmt.Errorf("clean %s: the folder holds something else; nothing is removed", dir)
	}
	lock, err := lockFile(name)
	if err != nil {
		return fmt.Errorf("clean %s: %w; is another chargehand running there?", dir, err)
	}
	defer lock.Close()
	if err := os.RemoveAll(dir); err != nil {
		return fmt.Errorf("clean %s: %w", dir, err)
	}
	return nil
}
