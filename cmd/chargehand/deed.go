package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/chargehand/chargehand/postgres"
	"github.com/google/uuid"
)

// deedBytesMax bounds what the audit log keeps of what was typed: of a command
// that names a thousand dead letters, the first ones.
const deedBytesMax = 1 << 10

// withDeed notes which command changes what it changes, for the audit log. What
// the parts of a lasting process change by the clock, nobody asked for.
func withDeed(ctx context.Context, s *session, node *kong.Node) (context.Context, error) {
	var words []string
	for n := node; n.Type == kong.CommandNode; n = n.Parent {
		words = append([]string{n.Name}, words...)
	}
	switch action := strings.Join(words, " "); action {
	case "work", "schedule", "serve", "all", "dev", "demo", "bench":
		return ctx, nil
	default:
		id, err := uuid.NewV7()
		if err != nil {
			return nil, fmt.Errorf("make an id for the audit log: %w", err)
		}
		return postgres.WithDeed(ctx, postgres.Deed{
			RequestID: id.String(), Action: action, Actor: s.actor(), Subject: subjectOf(node), Reason: typed(node, "note"),
		}), nil
	}
}

// subjectOf is what a command is about: its first argument, or the account, the
// name or the file that its flags give.
func subjectOf(node *kong.Node) string {
	if len(node.Positional) > 0 {
		return shownValue(node.Positional[0])
	}
	for _, flag := range []string{"account", "name", "file"} {
		if text := typed(node, flag); text != "" {
			return text
		}
	}
	return ""
}

// typed is the value of a command's flag; empty where it has none.
func typed(node *kong.Node, name string) string {
	for _, flag := range node.Flags {
		if flag.Name == name {
			return shownValue(flag.Value)
		}
	}
	return ""
}

func shownValue(v *kong.Value) string {
	text := fmt.Sprint(v.Target.Interface())
	if many, is := v.Target.Interface().([]string); is {
		text = strings.Join(many, " ")
	}
	if len(text) > deedBytesMax {
		text = strings.ToValidUTF8(text[:deedBytesMax], "") + "…"
	}
	return text
}
