// Package exact adds float64 numbers without rounding: only the result is rounded, once. So it does not depend on the order of
// the numbers, nor on how they were divided among workers, to the bit.
//
// A [Sum] is a superaccumulator as in R. Neal, "Fast exact summation using small and large superaccumulators" (2015): a fixed-point
// number that is wide enough for all of float64, and for all products of two, of which only the part is kept that was met. Numbers
// that come many at a time are first added up by their exponents, which costs one integer addition each.
//
//	var m exact.Moments
//	m.AddAll(column) // NaN is passed over
//	m.Merge(&other)
//	m.Mean()
package exact
