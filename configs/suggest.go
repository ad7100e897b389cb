package configs

import (
	"fmt"
	"strings"
)

// editsMax is how many letters may differ between what was written and what is
// suggested: more is another word.
const editsMax = 3

// unknownKey names the key and the one that was probably meant.
func unknownKey(all []setting, key string) error {
	var known []string
	for _, s := range all {
		known = append(known, s.key)
		if section, _, nested := strings.Cut(s.key, "."); nested {
			known = append(known, section)
		}
	}
	return fmt.Errorf("%s: unknown key%s", key, didYouMean(key, known))
}

// didYouMean ends an error about an unknown name: with the nearest known one, or
// with one that ends alike, for a key that stands in the wrong section.
func didYouMean(name string, known []string) string {
	nearest, edits := "", editsMax+1
	for _, candidate := range known {
		if n := distance(name, candidate); n < edits {
			nearest, edits = candidate, n
		}
	}
	if nearest == "" {
		_, last := cutLast(name)
		for _, candidate := range known {
			if _, end := cutLast(candidate); end == last {
				nearest = candidate
				break
			}
		}
	}
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %s?", nearest)
}

// cutLast splits a key before its last part.
func cutLast(key string) (section, last string) {
	i := strings.LastIndexByte(key, '.')
	return key[:max(i, 0)], key[i+1:]
}

// distance is the number of letters to add, drop or change to get from a to b.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			change := diagonal
			if a[i] != b[j] {
				change++
			}
			diagonal = row[j+1]
			row[j+1] = min(change, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
