// Package gcsstore keeps objects in Google Cloud Storage. Importing it registers the scheme gs: gs://bucket/prefix is the
// part of a bucket under a prefix, with these parameters:
//
//   - project: the project that pays for the requests, where the bucket wants the requester to pay
//   - endpoint: http://host:port or https://host of another server than Google's, such as an emulator
//
// The bucket must exist. Without an endpoint in the URL, the SDK's own variable STORAGE_EMULATOR_HOST is honoured.
//
// # Credentials
//
// They come from where all Google's libraries look: the key file that GOOGLE_APPLICATION_CREDENTIALS names, what gcloud
// auth application-default login has left, or the service account of the machine or function. They are looked for when
// the first request is sent, and are never sent over http: an endpoint of that kind is asked without any. One of https
// gets them, whoever's it is: take the URL's endpoint from nobody that you do not trust with them. The role
// Storage Object User on the bucket is enough.
//
// # Requests
//
// The JSON API over HTTP/1.1, one connection a request at a time: what runs in parallel is spread over connections, of
// which 64 are kept. A Put is one request up to 8 MiB; a larger one is a resumable upload, one request more than it has
// parts of 8 MiB, one after the other: this service joins parts that were sent in parallel only as separate objects, and
// the SDK does so only over gRPC. A Get is one request for each 8 MiB, up to four at a time; a Get of no bytes and a Stat
// are one. A Delete is one for each key, 16 at a time; a List one for each 1,000 keys. The first miss of a bucket that
// has answered nothing yet costs a listing of one key, to tell a missing object from a missing bucket.
//
// A failed request is sent again up to three times by the SDK, where the failure may pass. [Bucket.Stats] has the
// numbers. The request that commits a PutNew is never sent again: what became of it is for [storage.Retry] to find out.
//
// # Rules
//
// PutNew is the precondition ifGenerationMatch=0. An ETag is the object's generation, which changes when the content
// does, and not when metadata do. A Get that takes several requests asks for one generation; where that is gone, it ends
// with [storage.ErrChanged], and in a bucket with versions it is still read.
//
// A CRC32C goes with each upload, for the service to check, and what the service says to have stored is compared once
// more; a whole object that is read is checked against the sum that the service keeps, and fails with
// [storage.ErrDamaged]. There is no sum for a range: TLS protects it on the way, and this module's own formats have sums
// inside.
//
// An object that was stored with Content-Encoding gzip is read as it is stored.
//
// # Limits
//
//   - A key has at most 1,024 bytes, the prefix included, and does not begin with ".well-known/acme-challenge/".
//   - An object whose name is no valid key is listed, and nothing else can be done with it.
//   - The service takes about one write a second to the same key, and answers more with [storage.ErrThrottled].
//   - Memory is 8 MiB for an upload, and up to 32 MiB for the reader of a large object.
//   - An upload that breaks off leaves no object; the service forgets its parts after a week.
//
// # Size
//
// The SDK links gRPC, which is never used. The build tags disable_grpc_modules and grpcnotrace leave parts of it out.
package gcsstore
