package dataset

import "fmt"

// CriteoSchema is the schema of Criteo's logs of displayed advertisements: whether it was clicked, 13 counts, and 26 categories.
func CriteoSchema() Schema {
	s := Schema{Columns: []Column{{Name: "label", Kind: Number, Role: Label}}}
	for i := range 13 {
		s.Columns = append(s.Columns, Column{Name: fmt.Sprintf("I%d", i+1), Kind: Number})
	}
	for i := range 26 {
		s.Columns = append(s.Columns, Column{Name: fmt.Sprintf("C%d", i+1), Kind: String})
	}
	return s
}
