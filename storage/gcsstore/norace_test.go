//go:build !race

package gcsstore

const raceEnabled = false
