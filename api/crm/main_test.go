package crm

import (
	"context"
	"log/slog"
	"os"
	"testing"

	"github.com/chargehand/chargehand/internal/pgtest"
	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/queue"
)

func TestMain(m *testing.M) {
	queue.LogConnections(slog.New(slog.DiscardHandler))
	os.Exit(pgtest.Main(m, func(ctx context.Context, url string) error {
		_, err := postgres.Migrate(ctx, url)
		return err
	}))
}
