//go:build race

package gcpfunctions

const raceEnabled = true
