// Package clouds links the drivers of all clouds' functions and stores, of HTTP workers and of Redis into the example programs that import it, where
// they are built with the tag clouds:
//
//	go run -tags clouds ./examples/wordcount s3://bucket/texts
//
// Without the tag it is empty: the SDKs take a minute to build and 50 MB, and the examples run on this machine without
// them. A program of one's own imports the driver it needs, such as
//
//	import _ "github.com/gowren/gowren/storage/s3store"
package clouds
