// Package endtoend tests that the example programs print the same, to the byte, on every backend, where nothing but their
// environment differs.
package endtoend
