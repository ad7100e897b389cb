package setup_test

import (
	"regexp"
	"testing"

	"github.com/chargehand/chargehand/setup"
)

var yamlBlock = regexp.MustCompile("(?s)\n```yaml\n(.*?)```\n")

// The set-up files of CONTRACT §2 are taken as they stand, and come back the same.
func TestTheContractsFilesAreTaken(t *testing.T) {
	blocks := yamlBlock.FindAllSubmatch(read(t, "../docs/CONTRACT.md"), -1)
	if len(blocks) != 2 {
		t.Fatalf("got %d files in docs/CONTRACT.md, want 2", len(blocks))
	}
	for _, b := range blocks {
		f, err := setup.Parse("CONTRACT.md", b[1])
		if err != nil {
			t.Fatal(err)
		}
		if f, err = f.Resolve(contract); err != nil {
			t.Fatal(err)
		}
		survives(t, f)
	}
}
