package main

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strings"

	"github.com/alecthomas/kong"
)

// execute reads the command line and runs what it asks for.
func execute(ctx context.Context, args []string, env environment) error {
	var c commands
	ended := exit(-1) // until kong, which printed help or version, wants to exit
	parser, err := newParser(&c, env, func(status int) { ended = exit(status) })
	if err != nil {
		return fmt.Errorf("build the command line: %w", err)
	}
	nameVariables(parser.Model.Node, variablePrefix)
	if len(args) == 0 {
		parser.Stdout = env.stderr
		_, _ = parser.Parse([]string{"--help"}) // that no command follows is known
		return exit(exitUsage)
	}
	if args[0] == completeWord {
		return complete(parser.Model.Node, args[1:], env.stdout)
	}
	chosen, err := parser.Parse(letNegativesStand(parser.Model.Node, args))
	if ended >= 0 {
		return ended
	}
	if err != nil {
		return usageError(err)
	}
	if err := refuseEmpty(chosen); err != nil {
		return err
	}
	s, err := newSession(&c, env, variablesOf(parser.Model.Node))
	if err != nil {
		return err
	}
	if ctx, err = withDeed(ctx, s, chosen.Selected()); err != nil {
		return err
	}
	chosen.BindTo(ctx, (*context.Context)(nil))
	return chosen.Run(s)
}

func newParser(c *commands, env environment, exit func(status int)) (*kong.Kong, error) {
	return kong.New(c,
		kong.Name("chargehand"),
		kong.Description(description),
		kong.Writers(env.stdout, env.stderr),
		kong.Exit(exit),
		kong.ConfigureHelp(kong.HelpOptions{Compact: true, NoExpandSubcommands: true, WrapUpperBound: helpColumns}),
		kong.ValueFormatter(withVariable),
		kong.ExplicitGroups(groups),
		kong.WithHyphenPrefixedParameters(true),
		kong.Resolvers(fromVariables(env.variables)),
	)
}

// helpColumns is how wide help gets on a wide terminal.
const helpColumns = 110

// usageError says what is wrong with a command line, and where help is.
func usageError(err error) error {
	command := "chargehand"
	var wrong *kong.ParseError
	if errors.As(err, &wrong) && wrong.Context != nil {
		if node := wrong.Context.Selected(); node != nil {
			command = node.FullPath()
		}
	}
	return usage("%s (try %s --help)", namedOnce(err), command)
}

// refuseEmpty refuses a flag that was given an empty text. It is a variable of a
// script that was not set: as a filter it would mean everything, as a name nothing.
func refuseEmpty(chosen *kong.Context) error {
	for _, flag := range chosen.Flags() {
		if !flag.Set || flag.Target.Kind() != reflect.String || flag.Target.String() != "" {
			continue
		}
		todo := "give it a value or leave it out"
		if flag.Required {
			todo = "give it a value"
		}
		return usage("--%s \"\": empty, %s (try %s --help)", flag.Name, todo, chosen.Selected().FullPath())
	}
	return nil
}

// namedOnce is an error of a flag whose value says by itself what it is:
// --status: status "held": … is --status "held": ….
func namedOnce(err error) string {
	flag, fault, _ := strings.Cut(err.Error(), ": ")
	if name, is := strings.CutPrefix(flag, "--"); is {
		if value, is := strings.CutPrefix(fault, strings.ReplaceAll(name, "-", " ")+" "); is {
			return flag + " " + value
		}
	}
	return err.Error()
}

// variablePrefix begins the environment variable of every flag.
const variablePrefix = "CHARGEHAND_"

// nameVariables gives every flag its environment variable, named by command and
// flag: ingest --source is CHARGEHAND_INGEST_SOURCE, --json CHARGEHAND_JSON. kong
// would read the process's environment by its own tags; here it gets what run got.
func nameVariables(node *kong.Node, prefix string) {
	name := func(word string) string {
		return prefix + strings.ToUpper(strings.ReplaceAll(word, "-", "_"))
	}
	for _, flag := range node.Flags {
		if flag.Name != "help" && flag.Name != "version" {
			flag.Envs = []string{name(flag.Name)}
		}
	}
	for _, child := range node.Children {
		nameVariables(child, name(child.Name)+"_")
	}
}

// variablesOf lists the environment variables of the flags of a command and of
// all below it.
func variablesOf(node *kong.Node) (names []string) {
	for _, flag := range node.Flags {
		names = append(names, flag.Envs...)
	}
	for _, child := range node.Children {
		names = append(names, variablesOf(child)...)
	}
	return names
}

// withVariable is the help of a flag with its environment variable.
func withVariable(value *kong.Value) string {
	if value.Flag == nil || len(value.Flag.Envs) == 0 {
		return value.Help
	}
	return fmt.Sprintf("%s ($%s)", value.Help, value.Flag.Envs[0])
}

// fromVariables gives flags that were not typed the values of their environment
// variables. An empty variable counts as not set.
func fromVariables(variables []string) kong.Resolver {
	values := map[string]string{}
	for _, entry := range variables {
		if name, value, _ := strings.Cut(entry, "="); value != "" {
			values[name] = value
		}
	}
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		for _, name := range flag.Envs {
			if value, set := values[name]; set {
				return value, nil
			}
		}
		return nil, nil
	})
}

// negative is an argument that begins like a number below zero.
var negative = regexp.MustCompile(`^-\.?[0-9]`)

// letNegativesStand lets numbers below zero be arguments, as in account adjust N
// -30: kong takes whatever begins with a dash for a flag. Where there is one, the
// arguments are moved behind a --, in their order; commands, flags and what
// belongs to the flags stay in front of it.
func letNegativesStand(node *kong.Node, args []string) []string {
	var front, arguments []string
	found := false
	for i := 0; i < len(args); i++ {
		arg := args[i]
		switch {
		case arg == "--":
			arguments = append(arguments, args[i+1:]...)
			i = len(args)
		case strings.HasPrefix(arg, "-") && arg != "-" && !negative.MatchString(arg):
			front = append(front, arg)
			if flag := flagOf(node, arg); flag != nil && !flag.IsBool() && i+1 < len(args) {
				i++
				front = append(front, args[i])
			}
		case childOf(node, arg) != nil && len(arguments) == 0:
			node = childOf(node, arg)
			front = append(front, arg)
		default:
			arguments = append(arguments, arg)
			found = found || negative.MatchString(arg)
		}
	}
	if !found {
		return args
	}
	return append(append(front, "--"), arguments...)
}

// flagOf is the flag of a command that an argument is, or nil.
func flagOf(node *kong.Node, arg string) *kong.Flag {
	for _, level := range node.AllFlags(false) {
		for _, flag := range level {
			if arg == "--"+flag.Name || flag.Short != 0 && arg == "-"+string(flag.Short) {
				return flag
			}
		}
	}
	return nil
}

func childOf(node *kong.Node, name string) *kong.Node {
	for _, child := range node.Children {
		if child.Name == name {
			return child
		}
	}
	return nil
}
