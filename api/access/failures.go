package access

import (
	"context"
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

type addressKey struct{}

// WithAddress says in a context from which address a request came, as net/http
// writes it. Failures are counted by it.
func WithAddress(ctx context.Context, address string) context.Context {
	return context.WithValue(ctx, addressKey{}, address)
}

// ipv6Net is how much of an IPv6 address is one sender's: whoever has one has all
// of its network.
const ipv6Net = 64

// addressOf is whose failures those of a context are.
func addressOf(ctx context.Context) string {
	text, _ := ctx.Value(addressKey{}).(string)
	at, err := netip.ParseAddrPort(text)
	if err != nil {
		return ""
	}
	address := at.Addr().Unmap().WithZone("")
	if address.Is4() {
		return address.String()
	}
	net, _ := address.Prefix(ipv6Net) // it has as many bits
	return net.String()
}

// failures bounds how often an address may fail to be admitted. A secret cannot be
// found by trying; what trying would cost is a look-up for each id made up.
type failures struct {
	perMinute int

	mu sync.Mutex
	of map[string]*rate.Limiter // by address
}

// failuresMax bounds the addresses that are remembered. Whoever has more of them
// makes all begin anew.
const failuresMax = 10_000

// wait is how long an address is to wait until it may fail again.
func (f *failures) wait(address string, now time.Time) time.Duration {
	f.mu.Lock()
	defer f.mu.Unlock()
	left := f.of[address]
	if left == nil {
		return 0
	}
	missing := 1 - left.TokensAt(now)
	return max(0, time.Duration(missing/float64(left.Limit())*float64(time.Second)))
}

// add notes that an address has failed.
func (f *failures) add(address string, now time.Time) {
	if f.perMinute == 0 {
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	left := f.of[address]
	if left == nil {
		if len(f.of) >= failuresMax {
			clear(f.of)
		}
		left = rate.NewLimiter(rate.Limit(float64(f.perMinute)/time.Minute.Seconds()), f.perMinute)
		f.of[address] = left
	}
	left.AllowN(now, 1)
}
