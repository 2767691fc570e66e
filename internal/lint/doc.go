// Package lint holds the house rules that no linter knows, as tests: which package may import which, what each links,
// how long a file may be, how small a program stays. It has no code of its own.
package lint
