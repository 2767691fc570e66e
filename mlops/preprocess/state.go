package preprocess

import (
	"encoding/json"
	"fmt"
	"io/fs"

	"github.com/gowren/gowren/serialize"
)

// State is what a fitter has learned, on its way. While states are merged one after the other, it stays a fitter.
type State struct {
	Type string
	Data []byte

	live Fitter // instead of Data
}

// settle makes bytes of a state that is still a fitter.
func (s *State) settle() error {
	if s.live == nil {
		return nil
	}
	data, err := serialize.Marshal(s.live)
	if err != nil {
		return fmt.Errorf("preprocess: what a %s has learned cannot be sent: %w", s.Type, err)
	}
	s.Data, s.live = data, nil
	return nil
}

// stored is a State as it travels, in JSON too.
type stored struct {
	Type string
	Data []byte
}

// MarshalBinary writes the state.
func (s *State) MarshalBinary() ([]byte, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	return serialize.Marshal(&stored{s.Type, s.Data})
}

// UnmarshalBinary reads what MarshalBinary wrote.
func (s *State) UnmarshalBinary(data []byte) error {
	var got stored
	err := serialize.Unmarshal(data, &got)
	*s = State{Type: got.Type, Data: got.Data}
	return err
}

// MarshalJSON writes the state.
func (s *State) MarshalJSON() ([]byte, error) {
	if err := s.settle(); err != nil {
		return nil, err
	}
	return json.Marshal(stored{s.Type, s.Data})
}

// UnmarshalJSON reads what MarshalJSON wrote.
func (s *State) UnmarshalJSON(data []byte) error {
	var got stored
	err := json.Unmarshal(data, &got)
	*s = State{Type: got.Type, Data: got.Data}
	return err
}

func stateOf(f Fitter) (State, error) {
	name, err := named(f)
	if err != nil {
		return State{}, err
	}
	return State{Type: name, live: f}, nil
}

// fitter returns the state as one that its caller may change.
func (s State) fitter() (Fitter, error) {
	if s.live != nil {
		return s.live, nil
	}
	p, value, err := fresh(s.Type)
	if err != nil {
		return nil, err
	}
	if err := serialize.Unmarshal(s.Data, p.Interface()); err != nil {
		return nil, fmt.Errorf("preprocess: what a %s has learned cannot be read: %w", s.Type, err)
	}
	f, ok := value().(Fitter)
	if !ok {
		return nil, fmt.Errorf("preprocess: %q is no fitter: %w", s.Type, fs.ErrInvalid)
	}
	if c, ok := f.(whole); ok && !c.whole() {
		return nil, fmt.Errorf("preprocess: what a %s has learned is damaged: %w", s.Type, fs.ErrInvalid)
	}
	return f, nil
}
