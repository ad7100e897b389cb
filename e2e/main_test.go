package e2e_test

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// binary is the product under test, built once per run.
var binary string

func TestMain(m *testing.M) {
	code, err := runTests(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		code = 1
	}
	os.Exit(code)
}

func runTests(m *testing.M) (code int, err error) {
	dir, err := os.MkdirTemp("", "chargehand-e2e-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if binary, err = build(context.Background(), dir); err != nil {
		return 0, err
	}
	code = m.Run()
	return code, together.close()
}

// build makes the binary with the flags of go test, whose cache has most of it.
func build(ctx context.Context, dir string) (string, error) {
	path := filepath.Join(dir, "chargehand")
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, "../cmd/chargehand")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if told, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the binary: %w\n%s", err, told)
	}
	return path, nil
}

// lookAtSources lists every folder of the product, once, and must be called while
// a test runs: go test keeps the result of a package until something changes that
// its tests have looked at, and it does not see what the compiler reads.
var lookAtSources = sync.OnceValue(func() error {
	const root = ".."
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err == nil && path != root && entry.IsDir() && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "bin") {
			return filepath.SkipDir
		}
		return err
	})
})
