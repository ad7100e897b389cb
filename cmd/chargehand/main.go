// Command chargehand rates usage, checks it against the account's allowance,
// debits the balance and controls credit: the whole product in one binary.
//
// It owns the command line: what is typed, what is printed, and which rooms a
// command puts together. It decides nothing about money. A subcommand is one
// file: flags, wiring from top to bottom, one call, one error.
//
// The exit status is 0 when what was asked is done, 1 when it failed or was
// refused, 2 for wrong usage, configuration or set-up file, 3 when verify found
// something.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/chargehand/chargehand/postgres"
	"github.com/chargehand/chargehand/setup"
)

func main() {
	// The first signal ends what runs, in order; then the second one ends us.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(run(ctx, os.Args[1:], environment{
		stdin: os.Stdin, stdout: os.Stdout, stderr: os.Stderr, variables: os.Environ(), now: time.Now,
	}))
}

// environment is what a run meets outside itself.
type environment struct {
	stdin          io.Reader
	stdout, stderr io.Writer
	variables      []string // as os.Environ gives them
	now            func() time.Time
}

// The exit statuses (CONTRACT §1).
const (
	exitDone   = 0
	exitFailed = 1
	exitUsage  = 2
	exitBroken = 3
)

// run carries out one command line and answers the exit status.
func run(ctx context.Context, args []string, env environment) int {
	err := execute(ctx, args, env)
	var ended exit
	if errors.As(err, &ended) {
		return int(ended)
	}
	if err == nil {
		return exitDone
	}
	for line := range strings.Lines(complaint(ctx, err)) {
		fmt.Fprintf(env.stderr, "chargehand: %s\n", strings.TrimSuffix(line, "\n"))
	}
	return statusOf(err)
}

// exit ends a run with a status and no further word: all is said already.
type exit int

// Error is never shown.
func (e exit) Error() string { return fmt.Sprintf("exit with status %d", int(e)) }

// wrongUse is an error of whoever typed or configured: status 2.
type wrongUse struct{ error }

// Unwrap is the error itself.
func (w wrongUse) Unwrap() error { return w.error }

func usage(format string, args ...any) error { return wrongUse{fmt.Errorf(format, args...)} }

func statusOf(err error) int {
	var (
		wrong  wrongUse
		faults setup.Faults
	)
	if errors.As(err, &wrong) || errors.As(err, &faults) || errors.Is(err, postgres.ErrBadURL) {
		return exitUsage
	}
	return exitFailed
}

// complaint is an error as a person should read it: one line, but for a set-up
// file, whose faults have one each.
func complaint(ctx context.Context, err error) string {
	var faults setup.Faults
	switch {
	case errors.As(err, &faults):
		return faults.Error()
	case ctx.Err() != nil && errors.Is(err, context.Canceled):
		return "stopped by a signal before it was done"
	}
	return oneLine(err)
}

// oneLine is an error on one line. pgx has a line for each way in that it tried,
// with a tab before it, and tells the same cause again for each.
func oneLine(err error) string {
	var causes []string
	for line := range strings.Lines(err.Error()) {
		if line = strings.TrimSpace(line); line != "" && !slices.Contains(causes, line) {
			causes = append(causes, line)
		}
	}
	return strings.ReplaceAll(strings.Join(causes, "; "), ":; ", ": ")
}
