package api

import (
	"regexp"
	"strings"
	"testing"
)

// TestTheGuideIsOfTheseEndpoints: docs/api.md is what the code makes of itself.
func TestTheGuideIsOfTheseEndpoints(t *testing.T) {
	s := openSite(t, village, nil)
	guide, err := s.server.Guide()
	if err != nil {
		t.Fatal(err)
	}
	generated(t, "../docs/api.md", guide)
	text := string(guide)
	titles := map[string]int{}
	for _, line := range strings.Split(text, "\n") {
		if title, is := strings.CutPrefix(line, "#"); is {
			titles[anchor(strings.TrimLeft(title, "# "))]++
		}
	}
	for _, id := range regexp.MustCompile(`<a id="([^"]+)">`).FindAllStringSubmatch(text, -1) {
		titles[id[1]]++
	}
	for title, n := range titles {
		if n > 1 {
			t.Errorf("%d titles are called %s", n, title)
		}
	}
	for _, link := range regexp.MustCompile(`\]\(#([^)]*)\)`).FindAllStringSubmatch(text, -1) {
		if titles[link[1]] == 0 {
			t.Errorf("a link leads to #%s, which is not there", link[1])
		}
	}
	for _, k := range Kinds() {
		if titles[k.Name] == 0 {
			t.Errorf("the kind %s, which type URIs lead to, is not there", k.Name)
		}
	}
}
