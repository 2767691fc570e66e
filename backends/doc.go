// Package backends is what reaches workers: the [Backend] interface, the facts that the scheduler plans by ([Limits]), the
// classes of errors it tells apart, the registry of backends by the scheme of their URL, and the roles that a worker
// process can have. The packages below it are one backend each; they register their scheme when they are imported.
//
// A backend is written against the interface alone, in this module or outside of it, and tested by backendtest:
//
//	func TestConformance(t *testing.T) {
//		backendtest.Run(t, func(t *testing.T, b storage.Bucket) backends.Backend { return mine.New() }, backendtest.Options{})
//	}
package backends
