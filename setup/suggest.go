package setup

import (
	"fmt"
	"strings"
)

// suggest is what word was probably meant to be, as the end of a sentence; empty
// where no choice is near.
func suggest(word string, choices []string) string {
	if best := nearest(word, choices); best != "" {
		return fmt.Sprintf(": did you mean %s?", best)
	}
	return ""
}

// nearest is the choice that takes the fewest changes, a third of its letters at
// most; of two that are as near, the first by alphabet.
func nearest(word string, choices []string) string {
	best, least := "", len(word)/3+2
	for _, c := range choices {
		d := distance(strings.ToLower(word), strings.ToLower(c), least)
		if d < least || (d == least && best != "" && c < best) {
			best, least = c, d
		}
	}
	return best
}

// distance is how many letters must be put in, taken out or changed to make b of
// a; more than most is told as most + 1.
func distance(a, b string, most int) int {
	if len(a)-len(b) > most || len(b)-len(a) > most || len(a) > textMax || len(b) > textMax {
		return most + 1
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		before := row[0] // of the row above, one to the left
		row[0] = i + 1
		for j := range len(b) {
			change := before
			if a[i] != b[j] {
				change++
			}
			before = row[j+1]
			row[j+1] = min(change, row[j]+1, before+1)
		}
	}
	return min(row[len(b)], most+1)
}

// alternatives is words as a sentence has them: a, b or c.
func alternatives(words []string) string {
	last := len(words) - 1
	if last < 1 {
		return strings.Join(words, "")
	}
	return strings.Join(words[:last], ", ") + " or " + words[last]
}
