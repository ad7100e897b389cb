package main

import (
	"context"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/alecthomas/kong"
	"github.com/chargehand/chargehand/billing"
)

type completionCommand struct {
	Shell string `arg:"" enum:"bash,zsh,fish" help:"bash, zsh or fish."`
}

// Help is the longer text of --help.
func (*completionCommand) Help() string {
	return `Put it where your shell looks, or load it by hand:

    bash:  source <(chargehand completion bash)
    zsh:   source <(chargehand completion zsh)
    fish:  chargehand completion fish | source`
}

func (c *completionCommand) Run(_ context.Context, s *session) error {
	if _, err := io.WriteString(s.stdout, completionScripts[c.Shell]); err != nil {
		return fmt.Errorf("print: %w", err)
	}
	return nil
}

// completeWord is the word by which the scripts ask for what may come next: the
// words typed so far follow it, the one at the cursor last. The answer is a line
// each: the candidate, a tab, and its help.
const completeWord = "__complete"

var completionScripts = map[string]string{
	"bash": `_chargehand() {
  local word
  COMPREPLY=()
  while IFS=$'\t' read -r word _; do
    COMPREPLY+=("$word")
  done < <("${COMP_WORDS[0]}" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _chargehand chargehand
`,
	"zsh": `#compdef chargehand
_chargehand() {
  local word help
  local -a candidates
  while IFS=$'\t' read -r word help; do
    candidates+=("${word//:/\\:}:$help")
  done < <("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)
  if (( $#candidates )); then _describe chargehand candidates; else _files; fi
}
compdef _chargehand chargehand
`,
	"fish": `function __chargehand
  set -l typed (commandline -opc) (commandline -ct)
  $typed[1] __complete $typed[2..-1] 2>/dev/null
end
complete -c chargehand -a '(__chargehand)'
`,
}

// complete prints what may come next.
func complete(node *kong.Node, words []string, to io.Writer) error {
	if len(words) == 0 {
		words = []string{""}
	}
	last := words[len(words)-1]
	for _, c := range candidates(node, words[:len(words)-1], last) {
		if !strings.HasPrefix(c.word, last) {
			continue
		}
		if _, err := fmt.Fprintf(to, "%s\t%s\n", c.word, c.help); err != nil {
			return fmt.Errorf("print: %w", err)
		}
	}
	return nil
}

// candidate is a word that may come next.
type candidate struct{ word, help string }

func candidates(node *kong.Node, before []string, last string) []candidate {
	arguments := 0
	for i := 0; i < len(before); i++ {
		word := before[i]
		flag := flagOf(node, word)
		child := childOf(node, word)
		switch {
		case flag != nil && !flag.IsBool():
			if i++; i == len(before) {
				return valuesOf(flag.Value)
			}
		case strings.HasPrefix(word, "-"):
		case child != nil && arguments == 0:
			node = child
		default:
			arguments++
		}
	}
	switch {
	case strings.HasPrefix(last, "-"):
		return flagsOf(node)
	case len(node.Children) > 0:
		return childrenOf(node)
	case arguments < len(node.Positional):
		return valuesOf(node.Positional[arguments])
	}
	return nil
}

func flagsOf(node *kong.Node) (all []candidate) {
	for _, level := range node.AllFlags(true) {
		for _, flag := range level {
			all = append(all, candidate{"--" + flag.Name, flag.Help})
		}
	}
	return all
}

func childrenOf(node *kong.Node) (all []candidate) {
	for _, child := range node.Children {
		all = append(all, candidate{child.Name, child.Help})
	}
	return all
}

// valuesOf is the words that a flag or argument takes, where they are a closed
// set: its enum, or what its tag says for types that judge their words themselves.
func valuesOf(v *kong.Value) (all []candidate) {
	words := v.EnumSlice()
	switch tag := v.Tag.Get("words"); tag {
	case "":
	case "reasons":
		words = billing.Reasons()
	default:
		words = strings.Split(tag, ",")
	}
	for _, word := range words {
		all = append(all, candidate{word: word})
	}
	return slices.DeleteFunc(all, func(c candidate) bool { return c.word == "" })
}
