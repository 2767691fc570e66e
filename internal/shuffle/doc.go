// Package shuffle brings the records that map tasks emit, a key and a value each, to the reduce tasks that need them, in
// the order of the keys. It knows bytes only: [Keys] makes bytes of keys, whose order is that of the keys.
//
// A map task fills a [Buffer] through a [Writer]. When it is full, and at the end, its records are sorted and written as
// a run. All runs of a task lie one after another in one object, which is uploaded as they come, so that a task takes
// one write whatever it emits, and memory for one buffer. What is small has no object and travels in the task's result.
//
// A run is written for hash partitions, of which each is a range of bytes; or, for sorting, as a whole with an index of
// its keys, from which [Cut] chooses ranges of keys that are about equal in all runs together.
//
// A reduce task reads one range of each run and merges them ([Merge]) in streaming fashion. It knows the objects by name
// from the map tasks' results and reads each range to its last byte, so what earlier jobs or attempts left is never read,
// and a range that is cut or changed is an error.
//
// # Format
//
// A range is a sequence of blocks:
//
//	checksum of what follows  uint32, little-endian: CRC-32C
//	length of the records     uint32
//	length as stored          uint32; less than the length of the records where they are compressed (zstd)
//	records                   of 64 KiB or a little more, or one that is larger
//
// A record is four parts, lengths as unsigned varints: how many bytes of the key are those of the key before it in the
// block, how many follow, those bytes; the length of the value and its bytes. A block never holds records of two
// partitions.
package shuffle
