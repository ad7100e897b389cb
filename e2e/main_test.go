package e2e_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
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
