package configs

import (
	"bytes"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

// A key without a default would be the zero value in silence.
func TestDefaultsSetEveryKey(t *testing.T) {
	var tree map[string]any
	if err := yaml.NewDecoder(bytes.NewReader(defaultFile)).Decode(&tree); err != nil {
		t.Fatal(err)
	}
	var got []string
	for name, value := range tree {
		section, nested := value.(map[string]any)
		if !nested {
			got = append(got, name)
		}
		for key := range section {
			got = append(got, name+"."+key)
		}
	}
	var want []string
	for _, s := range settings(new(Config)) {
		want = append(want, s.key)
	}
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		t.Errorf("keys of default.yaml:\ngot  %q\nwant %q", got, want)
	}
}

// Whoever looks a setting up in docs/operating.md finds what default.yaml has.
func TestTheManualHasEverySettingWithItsDefault(t *testing.T) {
	page, err := os.ReadFile("../docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, row := range regexp.MustCompile("(?m)^\\| `([a-z_.]+)` \\|([^|]*)\\|").FindAllStringSubmatch(section(string(page), "## Settings"), -1) {
		got = append(got, row[1]+" = "+strings.Trim(row[2], " `"))
	}
	var tree yaml.Node
	if err := yaml.Unmarshal(defaultFile, &tree); err != nil {
		t.Fatal(err)
	}
	if want := leaves("", tree.Content[0]); !slices.Equal(got, want) {
		t.Errorf("settings of docs/operating.md:\ngot  %q\nwant %q", got, want)
	}
}

// section is what a page has under one of its titles.
func section(page, title string) string {
	_, rest, _ := strings.Cut(page, "\n"+title+"\n")
	body, _, _ := strings.Cut(rest, "\n## ")
	return body
}

// leaves lists a mapping's keys with their values, in order.
func leaves(prefix string, mapping *yaml.Node) (all []string) {
	for i := 0; i < len(mapping.Content); i += 2 {
		name, value := prefix+mapping.Content[i].Value, mapping.Content[i+1]
		if value.Kind == yaml.MappingNode {
			all = append(all, leaves(name+".", value)...)
		} else {
			all = append(all, name+" = "+value.Value)
		}
	}
	return all
}
