package main

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/preprocess"
)

// steps are what a flag can ask for; nil is nothing to do.
type steps map[string]preprocess.Step

// of returns the step that a flag asks for.
func (k steps) of(name, flag string) (preprocess.Step, error) {
	step, ok := k[name]
	if !ok {
		return nil, fmt.Errorf("preprocess: %q is nothing that -%s knows: %s", name, flag, strings.Join(slices.Sorted(maps.Keys(k)), ", "))
	}
	return step, nil
}

func missingSteps() steps {
	return steps{
		"mean":   preprocess.Impute{With: preprocess.Mean},
		"median": preprocess.Impute{With: preprocess.Median},
		"zero":   preprocess.Impute{With: preprocess.Constant},
		"none":   nil,
	}
}

func numberSteps() steps {
	return steps{
		"standard": preprocess.StandardScore{},
		"minmax":   preprocess.MinMax{},
		"maxabs":   preprocess.MaxAbs{},
		"robust":   preprocess.Robust{},
		"quantile": preprocess.Quantile{},
		"none":     nil,
	}
}

func (s *settings) stringSteps(columns []string) steps {
	return steps{
		"onehot":  preprocess.OneHot{Columns: columns, Most: s.most},
		"ordinal": preprocess.Ordinal{Columns: columns, Most: s.most},
		"hash":    preprocess.Hash{Columns: columns, Bits: s.bits},
		"drop":    preprocess.Drop{Columns: columns},
	}
}

// scaling is how numbers are scaled: as the flag says, or else as told.
func (s *settings) scaling(told string) string { return cmp.Or(s.numbers, told) }

// pipeline is what the flags ask for: what is missing is filled, then numbers are scaled, and strings become numbers.
func (s *settings) pipeline(in dataset.Schema) (preprocess.Pipeline, error) {
	var p preprocess.Pipeline
	add := func(name, flag string, known steps) error {
		step, err := known.of(name, flag)
		if step != nil {
			p = append(p, step)
		}
		return err
	}
	if has(in, dataset.Number) {
		if err := add(s.missing, "missing", missingSteps()); err != nil {
			return nil, err
		}
	}
	how := s.scaling("standard")
	if has(in, dataset.Vector) { // sparse ones must not be centred
		how = s.scaling("maxabs")
	}
	if has(in, dataset.Number) || has(in, dataset.Vector) {
		if err := add(how, "numbers", numberSteps()); err != nil {
			return nil, err
		}
	}
	if text := names(in, dataset.String, dataset.Feature); len(text) > 0 {
		if err := add(s.text, "strings", s.stringSteps(text)); err != nil {
			return nil, err
		}
	}
	if label := names(in, dataset.String, dataset.Label); len(label) > 0 { // classes
		p = append(p, preprocess.Ordinal{Columns: label})
	}
	return p, nil
}

func has(in dataset.Schema, k dataset.Kind) bool { return len(names(in, k, dataset.Feature)) > 0 }

// names are those of the columns of a kind and role.
func names(in dataset.Schema, k dataset.Kind, r dataset.Role) []string {
	var all []string
	for _, c := range in.Columns {
		if c.Kind == k && c.Role == r {
			all = append(all, c.Name)
		}
	}
	return slices.Clip(all)
}
