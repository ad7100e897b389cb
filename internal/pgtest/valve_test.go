package pgtest_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/chargehand/chargehand/internal/pgtest"
)

func TestAValveThatIsShutAnswersNothing(t *testing.T) {
	valve := pgtest.NewValve(t, pgtest.New(t))
	conn := connect(t, valve.URL)
	if n := count(t, conn); n != 1 {
		t.Errorf("open: got %d rows", n)
	}
	valve.Shut()
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if _, err := conn.Exec(ctx, "select 1"); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("shut: got %v, want nothing in time", err)
	}
	valve.Open()
	if n := count(t, connect(t, valve.URL)); n != 1 {
		t.Errorf("open again: got %d rows", n)
	}
}
