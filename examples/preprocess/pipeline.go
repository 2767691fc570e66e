package main

import (
	"fmt"
	"slices"

	"github.com/gowren/gowren/mlops/dataset"
	"github.com/gowren/gowren/mlops/preprocess"
)

// pipeline is what the flags ask for: what is missing is filled, then numbers are scaled, and strings become numbers.
func (s *settings) pipeline(in dataset.Schema) (preprocess.Pipeline, error) {
	var p preprocess.Pipeline
	add := func(name, flag string, known map[string]preprocess.Step) error {
		step, ok := known[name]
		if !ok {
			return fmt.Errorf("preprocess: %q is nothing that -%s knows", name, flag)
		}
		if step != nil {
			p = append(p, step)
		}
		return nil
	}
	if has(in, dataset.Number) {
		if err := add(s.missing, "missing", map[string]preprocess.Step{
			"mean":   preprocess.Impute{With: preprocess.Mean},
			"median": preprocess.Impute{With: preprocess.Median},
			"zero":   preprocess.Impute{With: preprocess.Constant},
			"none":   nil,
		}); err != nil {
			return nil, err
		}
	}
	how := s.numbers
	if how == "" {
		how = "standard"
		if has(in, dataset.Vector) { // sparse ones must not be centred
			how = "maxabs"
		}
	}
	if has(in, dataset.Number) || has(in, dataset.Vector) {
		if err := add(how, "numbers", map[string]preprocess.Step{
			"standard": preprocess.StandardScore{},
			"minmax":   preprocess.MinMax{},
			"maxabs":   preprocess.MaxAbs{},
			"robust":   preprocess.Robust{},
			"quantile": preprocess.Quantile{},
			"none":     nil,
		}); err != nil {
			return nil, err
		}
	}
	text := names(in, dataset.String, dataset.Feature)
	if len(text) > 0 {
		if err := add(s.text, "strings", map[string]preprocess.Step{
			"onehot":  preprocess.OneHot{Columns: text, Most: s.most},
			"ordinal": preprocess.Ordinal{Columns: text, Most: s.most},
			"hash":    preprocess.Hash{Columns: text, Bits: s.bits},
			"drop":    preprocess.Drop{Columns: text},
		}); err != nil {
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
