package configs

import (
	"bytes"
	"cmp"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// variablePrefix begins the environment variable of every key.
const variablePrefix = "CHARGEHAND_"

//go:embed default.yaml
var defaultFile []byte

// Load returns the defaults, overridden by the file at path (empty: none), and
// that by the environment, given as os.Environ does. Every variable that begins
// with CHARGEHAND_ must be a key's, or one of others: those that the command
// line reads. DATABASE_URL and REDIS_URL count where the CHARGEHAND_ form of them
// is not set; all of them count as not set where they are empty.
func Load(path string, environ []string, others ...string) (Config, error) {
	var c Config
	l := loader{settings: settings(&c)}
	if err := l.readFile("default.yaml", defaultFile); err != nil {
		return Config{}, err
	}
	if path != "" {
		content, err := os.ReadFile(path)
		if err != nil {
			return Config{}, fmt.Errorf("read the configuration: %w", err)
		}
		if err := l.readFile(path, content); err != nil {
			return Config{}, err
		}
	}
	if err := l.readEnviron(environ, others); err != nil {
		return Config{}, err
	}
	return c, nil
}

// loader sets keys by their names.
type loader struct {
	settings []setting
}

// set gives a key its value and names both when that is not allowed.
func (l loader) set(s setting, text string) error {
	if err := s.set(text); err != nil {
		return fmt.Errorf("%s: %q is not allowed: %w", s.key, text, err)
	}
	return nil
}

// readFile sets the keys of one YAML file. Errors begin with file and line.
func (l loader) readFile(name string, content []byte) error {
	decoder := yaml.NewDecoder(bytes.NewReader(content))
	var document yaml.Node
	if err := decoder.Decode(&document); errors.Is(err, io.EOF) {
		return nil // empty, or nothing but comments
	} else if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	if err := decoder.Decode(new(yaml.Node)); !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: want one YAML document, found more", name)
	}
	f := file{loader: l, name: name, lines: map[string]int{}}
	return f.readMapping("", document.Content[0])
}

// file is a YAML file that is being read.
type file struct {
	loader
	name  string
	lines map[string]int // where each key stood
}

// readMapping sets the keys of a mapping, whose own key is the prefix.
func (f file) readMapping(prefix string, mapping *yaml.Node) error {
	if mapping.Kind == yaml.ScalarNode && mapping.Tag == "!!null" {
		return nil // a section whose keys are all commented out
	}
	if mapping.Kind != yaml.MappingNode {
		return f.fault(mapping, fmt.Errorf("%s: want keys below it", cmp.Or(prefix, "configuration")))
	}
	for i := 0; i < len(mapping.Content); i += 2 {
		name, value := mapping.Content[i], mapping.Content[i+1]
		key := strings.TrimPrefix(prefix+"."+name.Value, ".")
		if line, doubled := f.lines[key]; doubled {
			return f.fault(name, fmt.Errorf("%s: already set in line %d", key, line))
		}
		f.lines[key] = name.Line
		if err := f.readKey(key, name, value); err != nil {
			return err
		}
	}
	return nil
}

func (f file) readKey(key string, name, value *yaml.Node) error {
	if isSection(f.settings, key) {
		return f.readMapping(key, value)
	}
	at := slices.IndexFunc(f.settings, func(s setting) bool { return s.key == key })
	if at < 0 {
		return f.fault(name, unknownKey(f.settings, key))
	}
	if value.Kind != yaml.ScalarNode || value.Tag == "!!null" {
		return f.fault(value, fmt.Errorf("%s: want a single value", key))
	}
	if err := f.set(f.settings[at], value.Value); err != nil {
		return f.fault(value, err)
	}
	return nil
}

func (f file) fault(at *yaml.Node, err error) error {
	return fmt.Errorf("%s:%d: %w", f.name, at.Line, err)
}

// readEnviron sets the keys that have a variable.
func (l loader) readEnviron(environ, others []string) error {
	values := map[string]string{}
	for _, entry := range environ {
		name, value, _ := strings.Cut(entry, "=")
		if value != "" {
			values[name] = value
		}
	}
	for _, s := range l.settings {
		name := variable(s.key)
		text, found := values[name]
		if plain := strings.TrimPrefix(name, variablePrefix); !found && (plain == "DATABASE_URL" || plain == "REDIS_URL") {
			name = plain
			text, found = values[name]
		}
		delete(values, name)
		if !found {
			continue
		}
		if err := l.set(s, text); err != nil {
			return fmt.Errorf("environment variable %s: %w", name, err)
		}
	}
	return l.refuseUnknown(values, others)
}

// refuseUnknown finds a misspelt variable among those that set no key, the first
// by name so that the answer does not change from run to run.
func (l loader) refuseUnknown(values map[string]string, others []string) error {
	var unknown []string
	for name := range values {
		if strings.HasPrefix(name, variablePrefix) && !slices.Contains(others, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	known := slices.Clone(others)
	for _, s := range l.settings {
		known = append(known, variable(s.key))
	}
	name := slices.Min(unknown)
	return fmt.Errorf("environment variable %s: unknown%s", name, didYouMean(name, known))
}

// variable is the environment variable of a key: rating.lateness is
// CHARGEHAND_RATING_LATENESS.
func variable(key string) string {
	return variablePrefix + strings.ToUpper(strings.ReplaceAll(key, ".", "_"))
}

func isSection(all []setting, key string) bool {
	return slices.ContainsFunc(all, func(s setting) bool { return strings.HasPrefix(s.key, key+".") })
}
