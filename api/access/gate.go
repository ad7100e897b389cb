package access

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"
)

// Why a request is not admitted.
var (
	ErrNoToken      = errors.New("no token")
	ErrUnknownToken = errors.New("the token is unknown, was revoked or has expired; chargehand token create makes one")
)

// Forbidden says which scope a token lacks.
type Forbidden struct{ Need Scope }

// Error says what to do.
func (f *Forbidden) Error() string {
	return fmt.Sprintf("the token has not the scope %s: use one made with --scope %s", f.Need, f.Need)
}

// TooMany says that a token has used up its rate.
type TooMany struct{ After time.Duration }

// Error says what to do.
func (t *TooMany) Error() string {
	return fmt.Sprintf("the token has used up its rate of requests: try again in %s", t.After.Round(time.Millisecond))
}

// Options say how a Gate admits.
type Options struct {
	RatePerSecond int // requests of a token; 0: without a bound
	RateBurst     int
	Clock         func() time.Time
}

// Gate admits callers by their tokens. It is safe for use by many goroutines.
type Gate struct {
	store   *postgres.Store
	options Options

	mu    sync.Mutex
	known map[string]*known // by id

	asked singleflight.Group // lookups that are under way, by id
}

// known is a token that was looked up, and what it has used of its rate.
type known struct {
	token *postgres.Token
	until time.Time // then it is looked up again
	rate  *rate.Limiter
	noted time.Time // the use that was written down last
}

const (
	// remembered is how long a lookup holds: a token that is revoked ends after it.
	remembered = 3 * time.Second
	// knownMax bounds the tokens that are remembered. Only those that exist are.
	knownMax = 100_000
	// notedEvery is how often the use of a token is written down.
	notedEvery = time.Minute
)

// NewGate is a gate for the tokens of a store.
func NewGate(store *postgres.Store, o Options) *Gate {
	return &Gate{store: store, options: o, known: map[string]*known{}}
}

// Admit says who bears a token and whether they have a scope; need 0 is content
// with any. The errors are ErrNoToken, ErrUnknownToken, *Forbidden and *TooMany.
func (g *Gate) Admit(ctx context.Context, text string, need Scope) (Caller, error) {
	if text == "" {
		return Caller{}, ErrNoToken
	}
	id, hash, ok := parse(text)
	if !ok {
		return Caller{}, ErrUnknownToken
	}
	now := g.options.Clock()
	k, err := g.lookUp(ctx, id, now)
	if err != nil {
		return Caller{}, err
	}
	t := k.token
	if subtle.ConstantTimeCompare(t.Hash[:], hash[:]) != 1 || t.RevokedAt != nil || t.ExpiresAt != nil && !now.Before(*t.ExpiresAt) {
		return Caller{}, ErrUnknownToken
	}
	if wait := g.use(ctx, k, now); wait > 0 {
		return Caller{}, &TooMany{After: wait}
	}
	c := Caller{Token: t.Name, Scopes: Scope(t.Scopes), Reseller: t.Reseller} //nolint:gosec // three bits
	if c.Scopes&need != need {
		return Caller{}, &Forbidden{Need: need}
	}
	return c, nil
}

// lookUp finds a token, in memory or in the store.
func (g *Gate) lookUp(ctx context.Context, id string, now time.Time) (*known, error) {
	g.mu.Lock()
	k := g.known[id]
	g.mu.Unlock()
	if k != nil && now.Before(k.until) {
		return k, nil
	}
	// A thousand requests that find a token forgotten ask for it once; none of them
	// takes the question along when it goes.
	found, err, _ := g.asked.Do(id, func() (any, error) { return g.store.Token(context.WithoutCancel(ctx), id) })
	if errors.Is(err, postgres.ErrNoToken) {
		return nil, ErrUnknownToken
	}
	if err != nil {
		return nil, err
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	fresh := &known{token: found.(*postgres.Token), until: now.Add(remembered), rate: g.limiter()}
	if old := g.known[id]; old != nil {
		fresh.rate, fresh.noted = old.rate, old.noted
	}
	if len(g.known) >= knownMax {
		clear(g.known) // whoever is left comes back with the next request
	}
	g.known[id] = fresh
	return fresh, nil
}

func (g *Gate) limiter() *rate.Limiter {
	if g.options.RatePerSecond == 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(g.options.RatePerSecond), g.options.RateBurst)
}

// use takes one request of a token's rate and answers how long to wait instead
// where there is none left.
func (g *Gate) use(ctx context.Context, k *known, now time.Time) time.Duration {
	taken := k.rate.ReserveN(now, 1)
	if wait := taken.DelayFrom(now); wait > 0 {
		taken.CancelAt(now)
		return wait
	}
	g.mu.Lock()
	due := now.Sub(k.noted) >= notedEvery
	if due {
		k.noted = now
	}
	g.mu.Unlock()
	if due {
		_ = g.store.TokenUsed(ctx, k.token.ID, now) // nothing is decided by it
	}
	return 0
}

// Sees tells whether an account is within a caller's reach. A reseller's token
// is told of an account of others what it is told of one that does not exist.
func (g *Gate) Sees(ctx context.Context, c Caller, number string) error {
	if c.Reseller == 0 {
		return nil
	}
	within, err := g.store.InReach(ctx, c.Reseller, number)
	if err == nil && !within {
		err = fmt.Errorf("account %s: %w", number, postgres.ErrNoAccount)
	}
	return err
}
