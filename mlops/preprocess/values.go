package preprocess

import (
	"encoding/hex"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Values are strings that JSON holds to the byte: those that are no text are objects with their bytes.
type Values []string

// rawValue is a value that is no text.
type rawValue struct {
	Hex string `json:"hex"`
}

// MarshalJSON writes an array.
func (v Values) MarshalJSON() ([]byte, error) {
	all := make([]any, len(v))
	for i, s := range v {
		all[i] = s
		if !utf8.ValidString(s) {
			all[i] = rawValue{hex.EncodeToString([]byte(s))}
		}
	}
	return json.Marshal(all)
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (v *Values) UnmarshalJSON(data []byte) error {
	var all []json.RawMessage
	if err := json.Unmarshal(data, &all); err != nil {
		return err
	}
	*v = make(Values, len(all))
	for i, x := range all {
		if len(x) > 0 && x[0] == '"' {
			if err := json.Unmarshal(x, &(*v)[i]); err != nil {
				return err
			}
			continue
		}
		var raw rawValue
		if err := json.Unmarshal(x, &raw); err != nil {
			return err
		}
		b, err := hex.DecodeString(raw.Hex)
		if err != nil {
			return fmt.Errorf("value %d: %w", i, err)
		}
		(*v)[i] = string(b)
	}
	return nil
}
