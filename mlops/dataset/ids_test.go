package dataset

import (
	"slices"
	"testing"
)

// TestIDsBothWays: a row has one ID, whether fields may hold newlines or not, so that parts of rows are the same ones.
func TestIDsBothWays(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"plain":             "a,b\n1,x\n2,y\n3,z\n",
		"no last newline":   "a,b\n1,x\n2,y",
		"blank lines":       "\n\na,b\n\n1,x\n\n\n2,y\n\n",
		"carriage returns":  "a,b\r\n1,x\r\n\r\n2,y\r\n",
		"a mark":            "\ufeffa,b\n1,x\n2,y\n",
		"quotes":            "a,b\n1,\"x, \"\"y\"\"\"\n2,y\n",
		"a return at end":   "a,b\n1,x\n2,y\r",
		"a packed one":      packed(t, "a,b\n1,x\n\n2,y\n"),
		"blank to the end":  "a,b\n1,x\n\n\n\n",
		"one with a return": "a,b\n1,x\ry\n2,z\n",
	} {
		url := bucket(t, map[string]string{"k": text})
		var ids [2][]uint64
		for i, multi := range []bool{false, true} {
			s := Source{URLs: []string{url}, Format: Format{Name: CSV, MultiLine: multi}, Schema: columns("a n", "b s")}
			_, got, _, err := rows(t, s)
			if err != nil {
				t.Fatal(name, err)
			}
			ids[i] = got
		}
		if len(ids[0]) == 0 || !slices.Equal(ids[0], ids[1]) {
			t.Errorf("%s: %x, and with fields of several lines %x", name, ids[0], ids[1])
		}
	}
}
