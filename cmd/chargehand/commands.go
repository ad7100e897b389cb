package main

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/alecthomas/kong"
)

const description = `Rate usage, keep it within allowance limits, debit balances and control credit.

Usage records go in by "ingest"; workers price each one, judge it against the account's allowance, debit the
account, and keep why. Try "chargehand demo": it needs no server.`

// groups are the headings of the list of commands.
var groups = []kong.Group{
	{Key: "try", Title: "Try it, without a server:"},
	{Key: "setup", Title: "Set up:"},
	{Key: "run", Title: "Run:"},
	{Key: "money", Title: "Accounts and limits:"},
	{Key: "correct", Title: "Correct, and try out beforehand:"},
	{Key: "look", Title: "Look into it:"},
	{Key: "shell", Title: "Shell:"},
	{Key: "periodic", Title: "Of a periodic service:"},
}

// commands is the command line: flags of all commands, and the commands.
type commands struct {
	Config  string      `placeholder:"FILE" type:"path" help:"Configuration file over the defaults; every key is in configs/default.yaml."`
	JSON    bool        `help:"Print JSON for machines in place of text for people."`
	Version versionFlag `help:"Print the version and exit."`

	Demo demoCommand `cmd:"" group:"try" help:"Show the whole product, on private servers and a generated feed."`
	Dev  devCommand  `cmd:"" group:"try" help:"Run everything on private servers that are kept between runs."`

	Migrate migrateCommand `cmd:"" group:"setup" help:"Bring the database's schema up to date."`
	Apply   applyCommand   `cmd:"" group:"setup" help:"Load a price book and set-up: all of it or nothing."`
	Export  exportCommand  `cmd:"" group:"setup" help:"Print the set-up file of what is stored."`
	Token   tokenCommand   `cmd:"" group:"setup" help:"Tokens of the HTTP API: create, list, revoke."`
	Ingest  ingestCommand  `cmd:"" group:"run" help:"Read usage records and hand them over to the workers."`
	Work    workCommand    `cmd:"" group:"run" help:"Run a worker: rate batches as they come."`
	All     allCommand     `cmd:"" group:"run" help:"Run everything in one process."`
	Drain   drainCommand   `cmd:"" group:"run" help:"Wait until nothing is queued, active or due for retry."`

	Schedule scheduleCommand `cmd:"" group:"run" help:"Run a scheduler: charge, sweep and notify by the clock."`
	Serve    serveCommand    `cmd:"" group:"run" help:"Serve the HTTP API."`
	Sweep    sweepCommand    `cmd:"" group:"run" help:"Run one credit sweep: hold and release the accounts that are due."`
	Charge   chargeCommand   `cmd:"" group:"run" help:"Run periodic charging once: every period that has begun."`

	Account accountCommand `cmd:"" group:"money" help:"Personal accounts: create, list, show, pay, hold, set, link …"`
	Limits  limitsCommand  `cmd:"" group:"money" help:"Usage allowance limits: show, remaining, set."`

	Rerate   rerateCommand   `cmd:"" group:"correct" help:"Judge records again: after a price, a limit or a set-up was mended."`
	Simulate simulateCommand `cmd:"" group:"correct" help:"Try prices, terms and limits out on the records that there are; writes nothing."`
	Forecast forecastCommand `cmd:"" group:"correct" help:"When each account will be past its threshold or subzero period."`
	Cancel   cancelCommand   `cmd:"" group:"correct" help:"Take records back: money and allowance return."`

	Record      recordCommand      `cmd:"" group:"look" help:"Usage records and what became of them."`
	DeadLetters deadLettersCommand `cmd:"" group:"look" help:"What a person must look at: unreadable lines, conflicts, failed batches."`
	Notices     noticesCommand     `cmd:"" group:"look" help:"Notices that a webhook never took: list, replay, discard."`
	Bench       benchCommand       `cmd:"" group:"look" help:"Measure the whole pipeline on private servers, beside raw COPY and an idle queue."`
	Audit       auditCommand       `cmd:"" group:"look" help:"Who changed what, by which command or request, and why."`
	Stats       statsCommand       `cmd:"" group:"look" help:"Queues, batches and outcomes at a glance."`
	Verify      verifyCommand      `cmd:"" group:"look" help:"Prove that balances, counters and charges are right, and name what is not."`

	Completion completionCommand `cmd:"" group:"shell" help:"Print a script that completes commands and flags."`
}

// versionFlag prints which build this is.
type versionFlag bool

// BeforeReset acts before the rest of the command line is looked at.
func (versionFlag) BeforeReset(app *kong.Kong) error {
	fmt.Fprintf(app.Stdout, "chargehand %s %s %s/%s\n", version(), runtime.Version(), runtime.GOOS, runtime.GOARCH)
	app.Exit(exitDone)
	return nil
}

// version is the module's version, and of a build between two the commit.
func version() string {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		return "(unknown)"
	}
	text := build.Main.Version
	if text == "" {
		text = "(devel)"
	}
	for _, setting := range build.Settings {
		if setting.Key == "vcs.revision" && len(setting.Value) >= 12 {
			return text + " " + setting.Value[:12]
		}
	}
	return text
}
