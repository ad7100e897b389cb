package worker

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"testing"

	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
	"go.uber.org/goleak"
)

// TestMain sees to it that no test leaves a goroutine behind.
func TestMain(m *testing.M) {
	queue.LogConnections(slog.New(slog.DiscardHandler))
	code := pgtest.Main(m, func(ctx context.Context, url string) error {
		_, err := postgres.Migrate(ctx, url)
		return err
	})
	if err := goleak.Find(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
