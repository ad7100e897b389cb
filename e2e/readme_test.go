package e2e_test

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// marked is a block of commands that a page marks as one that is run here, with
// the text that the page shows below as what it prints, if it does.
var marked = regexp.MustCompile("(?s)<!-- e2e -->\n```sh\n(.*?)```\n(?:\n```text\n(.*?)```\n)?")

// A page whose commands do not work, or print something else, is worse than none.
func TestPagesAreTrue(t *testing.T) {
	pages, err := filepath.Glob("../docs/*.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, page := range append(pages, "../README.md") {
		t.Run(filepath.Base(page), func(t *testing.T) {
			t.Parallel()
			text, err := os.ReadFile(page)
			if err != nil {
				t.Fatal(err)
			}
			blocks := marked.FindAllStringSubmatch(string(text), -1)
			if len(blocks) == 0 {
				t.Skipf("%s marks no commands", page)
			}
			s := newSite(t)
			s.start("work")
			if strings.Contains(string(text), "$API") {
				s.variables = append(s.variables, "API="+s.serve())
			}
			if !strings.Contains(blocks[0][1], "chargehand apply") {
				s.beginLikeReadme()
			}
			for _, block := range blocks {
				s.follow(block[1], block[2])
			}
			s.proved()
		})
	}
}

// beginLikeReadme sets up and sends what the README does: pages that do neither
// go on from there.
func (s *site) beginLikeReadme() {
	s.t.Helper()
	s.follow("chargehand apply -f examples/quickstart.yaml\n", "")
	s.follow("chargehand ingest examples/quickstart.ndjson --wait\n", "")
	s.follow("chargehand drain\n", "")
}

// follow types a block of commands, from the root of the repository, and holds
// what they print against what the page shows.
func (s *site) follow(commands, shown string) {
	s.t.Helper()
	ctx, cancel := context.WithTimeout(s.t.Context(), commandPatience)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-e", "-c", commands)
	cmd.Dir = ".."
	cmd.Env = append(s.environment(), "PATH="+filepath.Dir(binary)+":"+os.Getenv("PATH"))
	dieWithUs(cmd)
	printed, err := cmd.CombinedOutput()
	if err != nil {
		s.t.Errorf("%s%v: %s", commands, err, printed)
	}
	got, want := timeless(string(printed)), timeless(shown)
	if begin, _, cut := strings.Cut(want, "…\n"); cut { // the page leaves the rest out
		want, got = begin, got[:min(len(got), len(begin))]
	}
	if shown != "" && got != want {
		s.t.Errorf("%s\ngot:\n%s\nwant:\n%s", commands, got, want)
	}
}

// moments are what differs from run to run: times, durations, ids; and with
// them the width of a column.
var moments = regexp.MustCompile(`20[0-9]{2}-[0-9]{2}-[0-9]{2}T[0-9:.]+Z|[0-9.]+(ms|s)\b|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|cli:[a-z0-9]+`)

// timeless is a text without that, without blank lines, and with single spaces.
func timeless(text string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		if words := strings.Fields(moments.ReplaceAllString(line, "∎")); len(words) > 0 {
			b.WriteString(strings.Join(words, " ") + "\n")
		}
	}
	return b.String()
}
