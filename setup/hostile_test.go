package setup

import (
	"runtime"
	"strings"
	"testing"
)

// Who sends a great many faults is told the first, and costs no more than reading
// the text did: 4 MiB of empty prices took 73 GiB of memory, one after the other,
// and four minutes.
func TestManyFaultsAreNotAllJudged(t *testing.T) {
	const size = 1 << 20
	for name, text := range map[string]string{
		"empty prices":    `{"prices":[` + strings.Repeat("{},", size/3) + "{}]}",
		"empty families":  "families:\n" + strings.Repeat("- {}\n", size/5),
		"keys of nobody":  "{" + strings.Repeat(`"k":0,`, size/6) + `"k":0}`,
		"keys of no name": strings.Repeat("?\n", size/2),
		"nested texts":    `{"customers":[{"ref":"a","accounts":[` + strings.Repeat("0,", size/2) + "0]}]}",
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := Parse("f", []byte(text))
		runtime.ReadMemStats(&after)
		if err == nil || !strings.Contains(err.Error(), "faults more") {
			t.Errorf("%s: got %v, want faults", name, err)
		}
		// The text's own tree is 100 times its size and more; see package api for how
		// large a text may be there.
		if each := (after.TotalAlloc - before.TotalAlloc) / size; each > 400 {
			t.Errorf("%s: reading allocated %d times its size", name, each)
		}
	}
}
