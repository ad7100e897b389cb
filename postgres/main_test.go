package postgres

import (
	"context"
	"os"
	"testing"

	"github.com/chargehand/chargehand/internal/pgtest"
)

func TestMain(m *testing.M) {
	os.Exit(pgtest.Main(m, func(ctx context.Context, url string) error {
		_, err := Migrate(ctx, url)
		return err
	}))
}
