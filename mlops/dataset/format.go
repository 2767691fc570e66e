package dataset

import (
	"bytes"
	"errors"
	"math"
	"slices"
)

// The formats of sources.
const (
	CSV       = "csv"    // fields parted by commas, or by another character
	Criteo    = "criteo" // CSV of tabs, of the schema CriteoSchema, without a header and quotes
	JSONLines = "jsonl"  // an object a line
	LibSVM    = "libsvm" // label index:value …
	IDX       = "idx"    // two files of numbers, of which one has the labels: as MNIST
)

// Policy says what an infinity is.
type Policy string

// What infinities are. A number beyond the largest float64 is one, and so are the spellings that strconv.ParseFloat takes.
const (
	Refuse  Policy = ""        // a bad row
	Keep    Policy = "keep"    // a number as others
	Missing Policy = "missing" // a missing value
)

// Check returns an error that says what a policy can be, where it is none.
func (p Policy) Check() error {
	if p != Refuse && p != Keep && p != Missing {
		return errSource("%q is no policy for infinities: keep, missing, or empty", p)
	}
	return nil
}

// Handling says what is done with a bad row.
type Handling string

// What is done with bad rows.
const (
	Fail Handling = ""     // the first one is an error
	Skip Handling = "skip" // they are left out, and counted: see Reader.Skipped
)

// Format is how a source's objects are written. Only its name is needed.
//
// Of CSV, blank lines are passed over, before the header too, and a column of strings has whatever bytes its fields have, also those
// that are not UTF-8. Of JSON lines, a column that a row has no member for is missing in it; that a column is in no row of all is no
// error, and neither are members that no column has.
type Format struct {
	Name string // csv, criteo, jsonl, libsvm, idx

	// Missing are the spellings of values that are missing; nil is [DefaultMissing], and for JSON lines none beside null. A list
	// takes the place of those. To CSV and Criteo an empty field is missing whatever the list has; of an empty list that is not nil
	// nothing is, and then an empty field is a string, and no number.
	Missing []string
	// Infinite says what infinities are.
	Infinite Policy
	// Bad says what is done with rows that cannot be read.
	Bad Handling

	// Comma parts the fields of CSV: an ASCII character. Defaults to a comma.
	Comma string
	// NoHeader says that the first row of CSV is one like the others: fields are the schema's columns, in order.
	NoHeader bool
	// MultiLine allows newlines in quoted fields of CSV, which is slower. See [Source.Parts].
	MultiLine bool
	// ZeroBased says that the first index of libsvm is 0, and not 1.
	ZeroBased bool
}

// DefaultMissing are the spellings of missing values where a format has none of its own: an empty field; NA, N/A, n/a and <NA>;
// #N/A, #N/A N/A and #NA, as spreadsheets have them; NULL, null and None, as databases and Python; NaN, nan, -NaN, -nan, and what some
// C libraries print for it, 1.#IND, -1.#IND, 1.#QNAN and -1.#QNAN. Those are what pandas takes, too. Beside them is ?, for it is what
// the tables of the UCI repository have. In other columns than these it can be a value: then a format has a list of its own.
func DefaultMissing() []string {
	return []string{
		"", "NA", "N/A", "n/a", "<NA>", "#N/A", "#N/A N/A", "#NA", "NULL", "null", "None",
		"NaN", "nan", "-NaN", "-nan", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN", "?",
	}
}

func (f Format) check() error {
	var errs []error
	switch f.Name {
	case CSV, Criteo, JSONLines, LibSVM, IDX:
	default:
		errs = append(errs, errSource("%q is no format: csv, criteo, jsonl, libsvm, idx", f.Name))
	}
	if err := f.Infinite.Check(); err != nil {
		errs = append(errs, err)
	}
	if f.Bad != Fail && f.Bad != Skip {
		errs = append(errs, errSource("%q is nothing to do with bad rows: skip, or empty", f.Bad))
	}
	if c := f.Comma; c != "" && (len(c) != 1 || c[0] >= 0x80 || c[0] == 0 || bytes.Contains([]byte("\"\r\n+-.0123456789eE"), []byte(c))) {
		errs = append(errs, errSource("fields cannot be parted by %q", c))
	}
	return errors.Join(errs...)
}

func (f Format) comma() byte {
	switch {
	case f.Name == Criteo:
		return '\t'
	case f.Comma == "":
		return ','
	}
	return f.Comma[0]
}

// missing is the set of spellings. Almost no value is one, which its length and its first byte tell.
type missing struct {
	all     map[string]bool
	empty   bool
	lengths [256]uint16 // by the first byte, a bit for each length; the highest is for all that are longer
}

// Spellings are those of missing values: Missing, with the empty field where that is one, or the format's own.
func (f Format) Spellings() []string {
	switch {
	case len(f.Missing) > 0 && (f.Name == CSV || f.Name == Criteo) && !slices.Contains(f.Missing, ""):
		return append(slices.Clone(f.Missing), "")
	case f.Missing != nil:
		return f.Missing
	case f.Name == JSONLines:
		return []string{}
	case f.Name == Criteo:
		return []string{""}
	}
	return DefaultMissing()
}

func (f Format) missing() missing {
	m := missing{all: map[string]bool{}}
	for _, s := range f.Spellings() {
		m.all[s] = true
		if s == "" {
			m.empty = true
			continue
		}
		m.lengths[s[0]] |= 1 << min(len(s), 15)
	}
	return m
}

func (m *missing) has(value []byte) bool {
	if len(value) == 0 {
		return m.empty
	}
	return m.lengths[value[0]]>>min(len(value), 15)&1 != 0 && m.all[string(value)]
}

// infinite applies the policy to a number.
func (f Format) infinite(x float64, column string, text []byte) (float64, *RowError) {
	if !math.IsInf(x, 0) || f.Infinite == Keep {
		return x, nil
	}
	if f.Infinite == Missing {
		return math.NaN(), nil
	}
	return 0, rowError(BadInfinity, column, "%.60q is infinite, or too large: the format's Infinite can allow it", text)
}

// spelled returns the infinity or the NaN that a text spells.
func spelled(text []byte) (x float64, ok bool) {
	sign := 1
	word := text
	if len(word) > 0 && (word[0] == '-' || word[0] == '+') {
		if word[0] == '-' {
			sign = -1
		}
		word = word[1:]
	}
	switch {
	case bytes.EqualFold(word, []byte("inf")), bytes.EqualFold(word, []byte("infinity")):
		return math.Inf(sign), true
	case bytes.EqualFold(word, []byte("nan")):
		return math.NaN(), true
	}
	return 0, false
}

// trimMark takes the byte order mark off, which some programs put before UTF-8.
func trimMark(text []byte) []byte { return bytes.TrimPrefix(text, []byte("\xef\xbb\xbf")) }
