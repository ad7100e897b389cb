package main

import (
	"io"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/alecthomas/kong"
	"github.com/chargehand/chargehand/configs"
	"github.com/google/go-cmp/cmp"
)

// model is the command line as kong sees it.
func model(t *testing.T) *kong.Node {
	t.Helper()
	parser, err := newParser(&commands{}, environment{stdout: io.Discard, stderr: io.Discard, now: time.Now}, func(int) {})
	if err != nil {
		t.Fatal(err)
	}
	nameVariables(parser.Model.Node, variablePrefix)
	return parser.Model.Node
}

func TestNumbersBelowZeroAreArguments(t *testing.T) {
	node := model(t)
	for _, c := range []struct{ typed, want string }{
		{"account adjust A1 -30 --key k --note n", "account adjust --key k --note n -- A1 -30"},
		{"account adjust -5 30 --key k --note n", "account adjust --key k --note n -- -5 30"},
		{"account adjust A1 --json -30 --key=k --note n", "account adjust --json --key=k --note n -- A1 -30"},
		{"account adjust A1 -.5 --key -1 --note n", "account adjust --key -1 --note n -- A1 -.5"},
		{"account adjust A1 --key k --note n -- -30", "account adjust A1 --key k --note n -- -30"},
		{"--config f account pay A1 -30 --key k", "--config f account pay --key k -- A1 -30"},
		{"apply -f - --dry-run", "apply -f - --dry-run"},
		{"ingest - --wait", "ingest - --wait"},
		{"account adjust A1 30 --key k --note -1", "account adjust A1 30 --key k --note -1"},
	} {
		got := strings.Join(letNegativesStand(node, strings.Fields(c.typed)), " ")
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.typed, got, c.want)
		}
	}
}

func TestEveryFlagHasAVariableOfItsOwn(t *testing.T) {
	names := variablesOf(model(t))
	slices.Sort(names)
	if doubled := len(names) - len(slices.Compact(slices.Clone(names))); doubled > 0 {
		t.Errorf("%d environment variables belong to two flags: %v", doubled, names)
	}
	for _, name := range names {
		// A variable that no flag has is refused, unless it is a key's.
		if _, err := configs.Load("", []string{name + "=x"}); err == nil || !strings.Contains(err.Error(), "unknown") {
			t.Errorf("%s is a configuration key's variable too: %v", name, err)
		}
	}
}

func TestEveryCommandAndFlagIsExplained(t *testing.T) {
	var visit func(node *kong.Node)
	visit = func(node *kong.Node) {
		if node.Help == "" || !strings.HasSuffix(node.Help, ".") && !strings.HasSuffix(node.Help, "…") && node.Parent != nil {
			t.Errorf("%s: help %q: want a sentence", node.Path(), node.Help)
		}
		for _, value := range append(flagValues(node), node.Positional...) {
			if value.Help == "" {
				t.Errorf("%s %s: no help", node.Path(), value.Name)
			}
		}
		for _, child := range node.Children {
			visit(child)
		}
	}
	visit(model(t))
}

func flagValues(node *kong.Node) (all []*kong.Value) {
	for _, flag := range node.Flags {
		all = append(all, flag.Value)
	}
	return all
}

func TestVariablesAreTheValuesOfFlagsThatWereNotTyped(t *testing.T) {
	for _, c := range []struct {
		name, typed string
		variables   []string
		want        string
	}{
		{"by its variable", "ingest f", []string{"CHARGEHAND_INGEST_SOURCE=env"}, "env"},
		{"typed wins", "ingest f --source typed", []string{"CHARGEHAND_INGEST_SOURCE=env"}, "typed"},
		{"an empty one is not set", "ingest f", []string{"CHARGEHAND_INGEST_SOURCE="}, ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			var read commands
			parser, err := newParser(&read, environment{stdout: io.Discard, stderr: io.Discard, variables: c.variables}, func(int) {})
			if err != nil {
				t.Fatal(err)
			}
			nameVariables(parser.Model.Node, variablePrefix)
			if _, err := parser.Parse(strings.Fields(c.typed)); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(read.Ingest.Source, c.want); diff != "" {
				t.Error(diff)
			}
		})
	}
}
