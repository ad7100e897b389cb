package configs

import (
	"bytes"
	"slices"
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
