// Package storagetest tests buckets. [Run] states every promise of [storage.Bucket] as a test, which each driver passes;
// [Bench] measures one; [Faults] makes a bucket fail by rule, to test what is built on buckets.
package storagetest
