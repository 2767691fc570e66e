package preprocess

import "slices"

// sortIntegers sorts by one byte after the other, from the lowest, and leaves out those that are the same in all: several times as
// fast as comparing where there are many. It returns the two slices, sorted and room, which may have changed places.
func sortIntegers(values, room []uint64) (sorted, rest []uint64) {
	if len(values) < 512 {
		slices.Sort(values)
		return values, room
	}
	var counts [8][256]int
	for _, v := range values {
		for b := range counts {
			counts[b][byte(v>>(8*b))]++
		}
	}
	room = slices.Grow(room[:0], len(values))[:len(values)]
	for b := range counts {
		begins := &counts[b]
		if begins[byte(values[0]>>(8*b))] == len(values) {
			continue
		}
		at := 0
		for i, n := range begins {
			begins[i], at = at, at+n
		}
		for _, v := range values {
			d := byte(v >> (8 * b))
			room[begins[d]] = v
			begins[d]++
		}
		values, room = room, values
	}
	return values, room
}
