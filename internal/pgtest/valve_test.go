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

func TestAValveThatIsCutLosesWhatItHeldUp(t *testing.T) {
	database := pgtest.New(t)
	valve := pgtest.NewValve(t, database)
	conn := connect(t, valve.URL)
	valve.Shut()
	asked := make(chan error)
	go func() {
		_, err := conn.Exec(t.Context(), "create table lost ()")
		asked <- err
	}()
	valve.Cut()
	if err := <-asked; err == nil || t.Context().Err() != nil {
		t.Errorf("got %v, want a connection that ended", err)
	}
	if n := count(t, connect(t, valve.URL)); n != 1 {
		t.Errorf("afterwards: got %d rows", n)
	}
	if _, err := connect(t, database).Exec(t.Context(), "select from lost"); err == nil {
		t.Error("what was held up came through")
	}
}
