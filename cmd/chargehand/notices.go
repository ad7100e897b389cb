package main

import (
	"errors"

	"github.com/chargehand/chargehand/postgres"
)

// noticesCommand is what can be done with notices that a webhook never took; each
// is a file.
type noticesCommand struct {
	List    noticesListCommand    `cmd:"" help:"List notices that a webhook did not take until the last try."`
	Replay  noticesReplayCommand  `cmd:"" help:"Send them again, with all their tries."`
	Discard noticesDiscardCommand `cmd:"" help:"Give them up for good."`
}

// chosenNotices is the flags that choose dead notices to do something with.
type chosenNotices struct {
	Webhook string `placeholder:"URL" help:"Those to a webhook, by its address."`
	Account string `placeholder:"N" help:"Those about an account."`
	All     bool   `help:"All of them."`
}

// Validate makes sure that it is said which ones are meant.
func (c *chosenNotices) Validate() error {
	if c.All == (c.Webhook != "" || c.Account != "") {
		return errors.New("say which notices: --webhook and --account, or --all")
	}
	return nil
}

func (c *chosenNotices) filter() postgres.DeadNoticeFilter {
	return postgres.DeadNoticeFilter{Webhook: c.Webhook, Account: c.Account}
}
