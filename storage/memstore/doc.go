// Package memstore keeps objects in the memory of this process, for tests and for runs that never leave it. Importing it
// registers the scheme mem: mem://name is the bucket of that name, mem://name/prefix the keys under a prefix in it.
//
// A bucket lives until [Delete] or the end of the process, whoever closes it. Its URL means nothing in another process:
// there, a bucket of that name is another bucket.
//
// Memory is that of the objects. A listing takes time in proportion to the bucket, whatever its prefix.
package memstore
