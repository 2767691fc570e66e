package dataset

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"unicode/utf8"
)

// Kind is what a column holds.
type Kind string

// The kinds of columns.
const (
	Number Kind = "number" // float64; NaN is a missing value
	String Kind = "string" // any bytes; see Strings for missing values
	Vector Kind = "vector" // Width float32 numbers, dense or sparse
)

// Role is what a column is for.
type Role string

// The roles of columns.
const (
	Feature Role = ""       // what a model is told
	Label   Role = "label"  // what it is to tell; one column at most
	Weight  Role = "weight" // how much the row counts; one column at most
	// Ignored columns are nothing to a model. Readers of CSV and JSON lines pass over their values, which may be anything that leaves
	// the row whole: all of them are missing in blocks, and vectors have none, unless SplitRows.By names the column.
	Ignored Role = "ignored"
)

// Column is a column of a [Schema].
type Column struct {
	Name  string `json:"name"`
	Kind  Kind   `json:"kind"`
	Role  Role   `json:"role,omitempty"`
	Width int    `json:"width,omitempty"` // of vectors
}

// Schema names the columns of rows, in their order.
type Schema struct {
	Columns []Column `json:"columns"`
	// Inferred is how many rows Infer has seen, where the schema is its; a reader's error tells of it, also of columns that
	// were changed later. It is not part of what the schema says.
	Inferred int `json:"-"`
}

// Check returns an error that says which column is wrong, and how.
func (s Schema) Check() error {
	names := make(map[string]bool, len(s.Columns))
	roles := map[Role]string{}
	var errs []error
	bad := func(c Column, format string, args ...any) {
		errs = append(errs, fmt.Errorf("dataset: column %q: %s: %w", c.Name, fmt.Sprintf(format, args...), fs.ErrInvalid))
	}
	if len(s.Columns) == 0 {
		errs = append(errs, fmt.Errorf("dataset: a schema without columns: %w", fs.ErrInvalid))
	}
	for _, c := range s.Columns {
		switch {
		case c.Name == "":
			bad(c, "it has no name")
		case !utf8.ValidString(c.Name): // JSON, in which schemas are kept, would hold another
			bad(c, "its name is not UTF-8")
		case names[c.Name]:
			errs = append(errs, fmt.Errorf("dataset: two columns have the name %q: %w", c.Name, fs.ErrInvalid))
		case c.Kind != Number && c.Kind != String && c.Kind != Vector:
			bad(c, "%q is no kind: number, string, vector", c.Kind)
		case (c.Kind == Vector) != (c.Width != 0) || c.Width < -1:
			bad(c, "a width of %d: vectors have one, -1 where it is not known yet, and others have none", c.Width)
		case c.Role != Feature && c.Role != Label && c.Role != Weight && c.Role != Ignored:
			bad(c, "%q is no role: label, weight, ignored, or empty", c.Role)
		case c.Role == Weight && c.Kind != Number, c.Role == Label && c.Kind == Vector:
			bad(c, "a %s cannot be a %s", c.Role, c.Kind)
		case (c.Role == Label || c.Role == Weight) && roles[c.Role] != "":
			bad(c, "column %q is the %s", roles[c.Role], c.Role)
		}
		names[c.Name] = true
		roles[c.Role] = c.Name
	}
	return errors.Join(errs...)
}

// Index returns the position of the column with a name, or -1.
func (s Schema) Index(name string) int {
	for i := range s.Columns {
		if s.Columns[i].Name == name {
			return i
		}
	}
	return -1
}

// With returns the position of the column with a role, or -1.
func (s Schema) With(r Role) int {
	for i := range s.Columns {
		if s.Columns[i].Role == r {
			return i
		}
	}
	return -1
}

// Width returns how many numbers the features of a row have; strings have none.
func (s Schema) Width() int {
	n := 0
	for _, c := range s.Columns {
		switch {
		case c.Role != Feature:
		case c.Kind == Vector:
			n += c.Width
		case c.Kind == Number:
			n++
		}
	}
	return n
}

// Hash is equal for equal schemas.
func (s Schema) Hash() string {
	data, err := json.Marshal(s)
	if err != nil {
		panic("dataset: a schema that JSON cannot hold: " + err.Error()) // strings and numbers alone
	}
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:8])
}

// Next returns the position of the column with a name, or -1. It looks from a position on, and then from the beginning: who
// asks for many in their order finds each at once.
func (s Schema) Next(name string, from int) int {
	for i := max(from, 0); i < len(s.Columns); i++ {
		if s.Columns[i].Name == name {
			return i
		}
	}
	for i := range s.Columns[:min(max(from, 0), len(s.Columns))] {
		if s.Columns[i].Name == name {
			return i
		}
	}
	return -1
}
