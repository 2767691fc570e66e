// Package servers starts, for tests, the real servers that the drivers of package storage talk to: an S3 server on a
// file system (versitygw), a Google Cloud Storage server in memory (fake-gcs-server), Azure Blob Storage (Azurite) and
// Redis. [Proxy] and [Link] stand between a driver and such a server and break what passes, by rule.
//
//	func TestConformance(t *testing.T) {
//		s := servers.Redis(t)
//		...
//	}
//
// A test process has one server of a kind, started when its first test asks for it, on a free port of the loopback
// interface, with its data in a temporary folder. Tests of several packages, which are several processes, share nothing.
//
// # The end
//
// A server ends, and its data go, when the test process ends, however that ends: by itself, by a panic of a timeout, by
// kill -9. A small keeper sees to it: this same test binary, started once more, which starts the server, and ends it
// when the pipe from the test process is closed. Where the keeper itself is killed, Linux ends the server, and its
// folder stays. [Close] does it earlier, for a TestMain that looks for what is left.
//
// # Installing
//
// .ci/servers installs the programs, into $GOWREN_SERVERS, by default gowren-ci/servers below the user's cache folder
// ($XDG_CACHE_HOME, or ~/.cache, on every system). They are looked for there and then in $PATH. A test whose server is
// not installed is skipped and says how to install it; with GOWREN_REQUIRE_SERVERS=1 it fails. Two need not be there even so:
// moto, and the browser of package browser where .ci/servers has noted that this machine cannot have one ([Lacks]).
package servers
