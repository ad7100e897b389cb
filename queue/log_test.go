package queue

import (
	"bytes"
	"fmt"
	"log/slog"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestOutageIsNotSaidEverySecond(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var lines bytes.Buffer
		l := newLogger(slog.New(slog.NewTextHandler(&lines, &slog.HandlerOptions{
			ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
				if a.Key == slog.TimeKey {
					return slog.Attr{}
				}
				return a
			},
		})))
		start := time.Now()
		for range 21 {
			l.Error("Failed to forward scheduled tasks: ", time.Since(start))
			l.Warn("Quitting worker. task id=", start.Unix())
			l.Info("Starting processing")
			time.Sleep(time.Second) //nolint:forbidigo // of the bubble's clock: it takes no time
		}
		var want bytes.Buffer
		for _, after := range []string{"0s", "10s", "20s"} {
			fmt.Fprintf(&want, "level=ERROR msg=\"Failed to forward scheduled tasks: %s\"\n", after)
			fmt.Fprintf(&want, "level=WARN msg=\"Quitting worker. task id=%d\"\n", start.Unix())
		}
		if diff := cmp.Diff(want.String(), lines.String()); diff != "" {
			t.Errorf("log (-want +got):\n%s", diff)
		}
	})
}

// TestLogForgets lets lines come that all begin differently.
func TestLogForgets(t *testing.T) {
	l := newLogger(slog.New(slog.DiscardHandler))
	for i := range 10 * saidMax {
		l.Warn(i)
	}
	if got := len(l.said); got > saidMax {
		t.Errorf("%d lines remembered, want at most %d", got, saidMax)
	}
}
