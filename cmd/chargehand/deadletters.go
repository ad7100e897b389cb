package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// deadLettersCommand is what can be done with what a person must look at; each
// is a file.
type deadLettersCommand struct {
	List    deadLettersListCommand    `cmd:"" help:"List unreadable lines, conflicts, and batches that failed for good."`
	Redrive deadLettersRedriveCommand `cmd:"" help:"Send dead letters on their way again."`
	Discard deadLettersDiscardCommand `cmd:"" help:"Mark dead letters as seen to, without doing anything."`
}

// letterKind is a kind of dead letter on the command line; 0 is all.
type letterKind postgres.DeadLetterKind

// UnmarshalText reads a kind's word.
func (k *letterKind) UnmarshalText(text []byte) error {
	for kind := postgres.Unreadable; kind.String() != ""; kind++ {
		if kind.String() == string(text) {
			*k = letterKind(kind)
			return nil
		}
	}
	return fmt.Errorf("%q: not one of unreadable, conflict, batch", text)
}

// chosenLetters is the flags that choose dead letters to do something with.
type chosenLetters struct {
	ID   []uuid.UUID `arg:"" optional:"" help:"Ids of dead letters, as list prints them."`
	Kind letterKind  `placeholder:"K" words:"unreadable,conflict,batch" help:"All of a kind: unreadable, conflict or batch."`
	All  bool        `help:"All of them."`
}

// Validate makes sure that it is said once which ones are meant.
func (c *chosenLetters) Validate() error {
	said := 0
	for _, given := range []bool{len(c.ID) > 0, c.Kind != 0, c.All} {
		if given {
			said++
		}
	}
	if said != 1 {
		return errors.New("say which dead letters: their ids, or --kind, or --all")
	}
	return nil
}

// present refuses an id that no open letter has, before anything is done: it may
// be misspelt, or seen to by somebody else.
func (c *chosenLetters) present(ctx context.Context, store *postgres.Store) error {
	if len(c.ID) == 0 {
		return nil
	}
	missing, err := store.MissingLetters(ctx, c.ID)
	if err == nil && len(missing) > 0 {
		err = fmt.Errorf("dead letter %s: none is open with this id, so nothing was done; see chargehand dead-letters list", missing[0])
	}
	return err
}

func (c *chosenLetters) filter() postgres.DeadLetterFilter {
	return postgres.DeadLetterFilter{Kind: postgres.DeadLetterKind(c.Kind), IDs: c.ID}
}
