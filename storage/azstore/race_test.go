//go:build race

package azstore

// underRace tells that the race detector is on, which makes memory's figures other ones.
const underRace = true
