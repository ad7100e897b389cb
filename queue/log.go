package queue

import (
	"context"
	"fmt"
	"log/slog"

	"github.com/redis/go-redis/v9"
)

// logger writes what asynq says to slog. Its info lines tell of every start and
// stop of every shard and are debug here.
type logger struct{ log *slog.Logger }

func (l logger) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }
func (l logger) Info(args ...any)  { l.log.Debug(fmt.Sprint(args...)) }
func (l logger) Warn(args ...any)  { l.log.Warn(fmt.Sprint(args...)) }
func (l logger) Error(args ...any) { l.log.Error(fmt.Sprint(args...)) }

// Fatal is to end the process by asynq's contract. asynq does not call it, and
// this room would leave the end to main.
func (l logger) Fatal(args ...any) { l.log.Error(fmt.Sprint(args...)) }

// LogConnections sends what go-redis says about its connections to log, at
// debug level: what comes of it is in the errors. go-redis keeps one logger for
// the whole process, standard error unless told, so main calls this once.
func LogConnections(log *slog.Logger) {
	redis.SetLogger(connections{log})
}

type connections struct{ log *slog.Logger }

func (c connections) Printf(ctx context.Context, format string, v ...any) {
	c.log.DebugContext(ctx, fmt.Sprintf(format, v...))
}
