//go:build !race

package backendtest

// veryLarge is the size of the largest result, in bytes.
const veryLarge = 100 << 20
