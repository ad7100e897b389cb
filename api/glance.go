package api

import (
	"context"
	"strconv"
	"sync"
	"time"

	"golang.org/x/sync/singleflight"
)

// glanceFor is how long figures for dashboards are shown before they are worked
// out anew. A hundred dashboards then cost what one does.
const glanceFor = 2 * time.Second

// glance is figures that many look at. They are worked out when somebody asks
// and they are old, by one of those who ask for all of them.
type glance[T any] struct {
	ask   func(context.Context) (T, error)
	clock func() time.Time

	group singleflight.Group
	mu    sync.Mutex
	at    time.Time // when value was asked for; zero: never
	value T
}

// look answers the figures and how old they are. A fault is nobody's but of
// those who wait for it: the next one to come asks again.
func (g *glance[T]) look(ctx context.Context) (value T, age time.Duration, err error) {
	if value, age, fresh := g.known(); fresh {
		return value, age, nil
	}
	answer := g.group.DoChan("", func() (any, error) {
		return g.learn(context.WithoutCancel(ctx)) // others wait for it who have not gone
	})
	select {
	case <-ctx.Done():
		return value, 0, ctx.Err()
	case a := <-answer:
		if a.Err != nil {
			return value, 0, a.Err
		}
		value, age, _ = g.known()
		return value, age, nil
	}
}

func (g *glance[T]) known() (value T, age time.Duration, fresh bool) {
	g.mu.Lock()
	defer g.mu.Unlock()
	age = max(g.clock().Sub(g.at), 0)
	return g.value, age, !g.at.IsZero() && age < glanceFor
}

// glancePatience bounds what nobody's going ends.
const glancePatience = 10 * time.Second

func (g *glance[T]) learn(ctx context.Context) (any, error) {
	if _, _, fresh := g.known(); fresh {
		return nil, nil // who asked before learned it meanwhile
	}
	ctx, cancel := context.WithTimeout(ctx, glancePatience)
	defer cancel()
	at := g.clock()
	value, err := g.ask(ctx)
	if err == nil {
		g.mu.Lock()
		defer g.mu.Unlock()
		g.at, g.value = at, value
	}
	return nil, err
}

// Aged is the headers of figures that are shown for a while. Its name is upper
// case for huma, which finds no headers in it otherwise.
type Aged struct {
	Age          string `header:"Age" doc:"How old the figures are, in seconds." example:"1"`
	CacheControl string `header:"Cache-Control" doc:"How long they are shown." example:"private, max-age=2"`
}

func agedBy(age time.Duration) Aged {
	return Aged{strconv.Itoa(int(age / time.Second)), "private, max-age=" + strconv.Itoa(int(glanceFor/time.Second))}
}

// places bounds how many requests of a costly kind run at once.
type places chan struct{}

// take is a place, to be left at the end. Where there is none the client is
// asked to come again.
func (p places) take(what string) (leave func(), err error) {
	select {
	case p <- struct{}{}:
		return func() { <-p }, nil
	default:
		return nil, problem("busy", strconv.Itoa(cap(p))+" "+what+" run already, no more run at once: try again later").after(patienceBusy)
	}
}

// patienceBusy is how long a client is asked to wait for a place.
const patienceBusy = 5 * time.Second
