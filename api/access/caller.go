package access

import "context"

// Caller is who asks.
type Caller struct {
	Token    string // name of the token: what logs and histories call it
	Scopes   Scope
	Reseller int64 // 0: the whole installation
}

// Actor is the caller as histories keep it.
func (c Caller) Actor() string { return "token " + c.Token }

type callerKey struct{}

type watchKey struct{}

// Watch calls to when it is said who asks, in what comes of the context: for those
// who stand before whoever admits, like a log.
func Watch(ctx context.Context, to func(Caller)) context.Context {
	return context.WithValue(ctx, watchKey{}, to)
}

// With says who asks in a context.
func With(ctx context.Context, c Caller) context.Context {
	if to, ok := ctx.Value(watchKey{}).(func(Caller)); ok {
		to(c)
	}
	return context.WithValue(ctx, callerKey{}, c)
}

// From is who asks in a context; nobody where that was not said.
func From(ctx context.Context) Caller {
	c, _ := ctx.Value(callerKey{}).(Caller)
	return c
}
