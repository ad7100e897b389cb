package queue

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/redis/go-redis/v9"
)

// logger writes what asynq says to slog. Its info lines tell of every start and
// stop of every shard and are debug here.
//
// While Redis is away every loop of every consumer says so again and again, in
// the same words. What begins like something that was said in the last ten
// seconds is debug too.
type logger struct {
	log *slog.Logger

	mu   sync.Mutex
	said map[string]time.Time
}

const (
	sayAgain = 10 * time.Second

	// opening is how many bytes of a line tell what it is about; the ids of tasks
	// come later.
	opening = 20

	// saidMax bounds what is remembered. asynq has some twenty different lines.
	saidMax = 64
)

func newLogger(log *slog.Logger) *logger {
	return &logger{log: log, said: make(map[string]time.Time)}
}

func (l *logger) Debug(args ...any) { l.log.Debug(fmt.Sprint(args...)) }
func (l *logger) Info(args ...any)  { l.log.Debug(fmt.Sprint(args...)) }
func (l *logger) Warn(args ...any)  { l.say(slog.LevelWarn, fmt.Sprint(args...)) }
func (l *logger) Error(args ...any) { l.say(slog.LevelError, fmt.Sprint(args...)) }

// Fatal is to end the process by asynq's contract. asynq does not call it, and
// this room would leave the end to main.
func (l *logger) Fatal(args ...any) { l.say(slog.LevelError, fmt.Sprint(args...)) }

func (l *logger) say(level slog.Level, line string) {
	if l.isRepeated(line[:min(len(line), opening)]) {
		level = slog.LevelDebug
	}
	l.log.Log(context.Background(), level, line)
}

func (l *logger) isRepeated(about string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := time.Now()
	if last, ok := l.said[about]; ok && now.Sub(last) < sayAgain {
		return true
	}
	if len(l.said) >= saidMax {
		clear(l.said)
	}
	l.said[about] = now
	return false
}

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
