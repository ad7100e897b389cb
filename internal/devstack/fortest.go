package devstack

import (
	"os"
	"testing"
)

// ForTest starts a Stack that ends with the test. It fails the test where a
// server that is needed is missing. Environment variables are the process's
// unless the options bring their own.
func ForTest(t testing.TB, o Options) *Stack {
	t.Helper()
	if o.Env == nil {
		o.Env = os.Getenv
	}
	s, err := Start(t.Context(), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}
