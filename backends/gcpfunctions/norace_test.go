//go:build !race

package gcpfunctions

const raceEnabled = false
