//go:build race

package backendtest

// The race detector's shadow of a value is several times its size, and takes as long to make.
const veryLarge = 25 << 20
