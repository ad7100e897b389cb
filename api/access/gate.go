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

// TooMany says that a token has used up its rate; or, with Failed, that the
// address of the request has failed too often to say which token is good.
type TooMany struct {
	After  time.Duration
	Failed bool
}

// Error says what to do.
func (t *TooMany) Error() string {
	if t.Failed {
		return fmt.Sprintf("too many requests of this address bore no good token (http.failed_admissions_per_minute): try again in %s",
			t.After.Round(time.Millisecond))
	}
	return fmt.Sprintf("the token has used up its rate of requests: try again in %s", t.After.Round(time.Millisecond))
}

// Options say how a Gate admits.
type Options struct {
	RatePerSecond     int // requests of a token; 0: without a bound
	RateBurst         int
	FailuresPerMinute int // of an address (WithAddress); 0: without a bound
	Clock             func() time.Time
	Patience          time.Duration // with the store; 0: 5 s
}

// Gate admits callers by their tokens. It is safe for use by many goroutines.
type Gate struct {
	store   *postgres.Store
	options Options

	mu      sync.Mutex
	known   map[string]*known    // by id
	unknown map[string]time.Time // ids that no token has, and until when that holds

	failures failures

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
	// remembered is how long a lookup holds: a token that is revoked ends after it,
	// and one that was made begins, should it have been asked for before it was.
	remembered = 3 * time.Second
	// knownMax bounds the tokens that are remembered, and unknownMax the ids that
	// none has. Whoever makes ids up fills that by himself: it is emptied then.
	knownMax   = 100_000
	unknownMax = 10_000
	// storePatience bounds what is asked of the store, unless Options do.
	storePatience = 5 * time.Second
	// notedEvery is how often the use of a token is written down.
	notedEvery = time.Minute
)

// NewGate is a gate for the tokens of a store.
func NewGate(store *postgres.Store, o Options) *Gate {
	if o.Patience == 0 {
		o.Patience = storePatience
	}
	return &Gate{store: store, options: o, known: map[string]*known{}, unknown: map[string]time.Time{},
		failures: failures{perMinute: o.FailuresPerMinute, of: map[string]*rate.Limiter{}}}
}

// Admit says who bears a token and whether they have a scope; need 0 is content
// with any. The errors are ErrNoToken, ErrUnknownToken, *Forbidden and *TooMany.
func (g *Gate) Admit(ctx context.Context, text string, need Scope) (Caller, error) {
	if text == "" {
		return Caller{}, ErrNoToken
	}
	now := g.options.Clock()
	k, err := g.find(ctx, text, now)
	if errors.Is(err, ErrUnknownToken) {
		g.failures.add(addressOf(ctx), now)
	}
	if err != nil {
		return Caller{}, err
	}
	if wait := g.use(ctx, k, now); wait > 0 {
		return Caller{}, &TooMany{After: wait}
	}
	return k.caller(need)
}

// Recall is Admit by memory alone, for what must answer while the store is away:
// it goes by what a token was when it was last looked up, and takes nothing of its
// rate.
func (g *Gate) Recall(text string, need Scope) (Caller, error) {
	id, hash, ok := parse(text)
	g.mu.Lock()
	k := g.known[id]
	g.mu.Unlock()
	if !ok || k == nil || !k.good(hash, g.options.Clock()) {
		return Caller{}, ErrUnknownToken
	}
	return k.caller(need)
}

// find is the token that a text is, if it is good.
func (g *Gate) find(ctx context.Context, text string, now time.Time) (*known, error) {
	id, hash, ok := parse(text)
	g.mu.Lock()
	k := g.known[id]
	none := now.Before(g.unknown[id])
	g.mu.Unlock()
	// One that was good when it was last looked up pays for no stranger of its
	// address: they may share a proxy.
	if k == nil || !k.good(hash, now) {
		if wait := g.failures.wait(addressOf(ctx), now); wait > 0 {
			return nil, &TooMany{After: wait, Failed: true}
		}
	}
	if !ok || none {
		return nil, ErrUnknownToken
	}
	if k == nil || !now.Before(k.until) {
		var err error
		if k, err = g.lookUp(ctx, id, now); err != nil {
			return nil, err
		}
	}
	if !k.good(hash, now) {
		return nil, ErrUnknownToken
	}
	return k, nil
}

// good tells whether a secret is that of the token, and whether it still holds.
func (k *known) good(hash [32]byte, now time.Time) bool {
	t := k.token
	return subtle.ConstantTimeCompare(t.Hash[:], hash[:]) == 1 && t.RevokedAt == nil && (t.ExpiresAt == nil || now.Before(*t.ExpiresAt))
}

// caller is whose token it is, if it has a scope.
func (k *known) caller(need Scope) (Caller, error) {
	t := k.token
	c := Caller{Token: t.Name, Scopes: Scope(t.Scopes), Reseller: t.Reseller} //nolint:gosec // three bits
	if c.Scopes&need != need {
		return Caller{}, &Forbidden{Need: need}
	}
	return c, nil
}

// lookUp finds a token in the store.
func (g *Gate) lookUp(ctx context.Context, id string, now time.Time) (*known, error) {
	// A thousand requests that find a token forgotten ask for it once; none of them
	// takes the question along when it goes.
	answer := g.asked.DoChan(id, func() (any, error) {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), g.options.Patience)
		defer cancel()
		return g.store.Token(ctx, id)
	})
	var found singleflight.Result
	select {
	case found = <-answer:
	case <-ctx.Done():
		return nil, fmt.Errorf("look up a token: %w", ctx.Err())
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	if errors.Is(found.Err, postgres.ErrNoToken) {
		if len(g.unknown) >= unknownMax {
			clear(g.unknown)
		}
		g.unknown[id] = now.Add(remembered)
		return nil, ErrUnknownToken
	}
	if found.Err != nil {
		return nil, found.Err
	}
	fresh := &known{token: found.Val.(*postgres.Token), until: now.Add(remembered), rate: g.limiter()}
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
		ctx, cancel := context.WithTimeout(ctx, g.options.Patience)
		defer cancel()
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
	ctx, cancel := context.WithTimeout(ctx, g.options.Patience)
	defer cancel()
	within, err := g.store.InReach(ctx, c.Reseller, number)
	if err == nil && !within {
		err = fmt.Errorf("account %s: %w", number, postgres.ErrNoAccount)
	}
	return err
}
