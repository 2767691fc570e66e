// Package s3store keeps objects in Amazon S3, or in another store with its interface: Cloudflare R2, MinIO, Ceph.
// Importing it registers the scheme s3:
//
//	s3://bucket/prefix?region=eu-west-1
//	s3://bucket?endpoint=https://ACCOUNT.r2.cloudflarestorage.com&region=auto
//	s3://bucket?endpoint=http://127.0.0.1:9000&path-style=true
//
// The parameters:
//
//   - region is the bucket's. Without it, it is the environment's (AWS_REGION, the profile), and us-east-1 where an
//     endpoint is given.
//   - endpoint is the store's address, of http or https. Without it, it is AWS_ENDPOINT_URL_S3, AWS_ENDPOINT_URL or
//     Amazon's.
//   - path-style=true puts the bucket's name into the path of requests and not into the host's name, which most stores of
//     one's own need.
//
// The URL of an open bucket holds what the environment has added, so that a worker elsewhere opens the same one.
//
// # Credentials
//
// They come from the default chain of Amazon's SDK: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN; the
// profile AWS_PROFILE of the shared files, single sign-on included; the role of the Lambda function, the container or the
// machine. No URL holds any. Needed are s3:GetObject, s3:PutObject, s3:DeleteObject, s3:AbortMultipartUpload and
// s3:ListBucket; without the last, a missing object looks like a forbidden one.
//
// # What it costs in requests
//
//   - Put and PutNew: one up to 8 MiB. Above, one for each 8 MiB, four at once, and two more. PutNew of more than 1 MiB
//     asks first, by a HeadObject, whether the key is taken.
//   - Get: one for each 8 MiB of the range, up to four at once, and a HeadObject beside them for a whole object of
//     more than 8 MiB. Reading ahead begins with the first Read.
//   - Stat, and a Get of no bytes: one HeadObject. List: one for each 1,000 objects. Delete: one for each 1,000 keys, eight
//     at once.
//
// Requests that fail in a way that passes are sent again by the SDK, four times in all, with growing pauses. The one by
// which PutNew commits is not, but where the store says that a concurrent request was in the way: [storage.Retry] has to
// see what remains unknown.
//
// # Whole and unharmed
//
// PutNew sends If-None-Match. A Get that takes several requests names the version in all but the first, compares it with
// that of each answer, and fails with [storage.ErrChanged] when the object is replaced meanwhile.
//
// Each part that is sent has a checksum, a CRC32 or, in parts, a CRC64NVME, which the store compares and keeps. When a
// whole object is read, its checksum is compared, whoever wrote it, where the store tells one:
//
//   - Of up to 8 MiB, it is compared before the data are delivered, and they are asked for again when it differs. Such an
//     object is asked for as a range. S3 sends the object's checksum with a range that is all of it; MinIO, Ceph and others
//     send none with any range, and then nothing is compared.
//   - Of more, it comes with the HeadObject, and the last Read fails with [storage.ErrDamaged] when it differs.
//
// Nothing is compared of an object whose checksum is only one of its parts' checksums, which other programs' uploads in
// parts may have, nor of a part of an object, for which S3 has no checksum. There it is TLS that guards the bytes, and with
// an endpoint of http nothing but TCP. AWS_REQUEST_CHECKSUM_CALCULATION=when_required sends without checksums, to stores
// that know none.
//
// An upload in parts that fails, or whose context ends, is aborted. Where a process is killed its parts stay, unseen and
// paid for: a lifecycle rule of the bucket (AbortIncompleteMultipartUpload) removes them.
//
// # Memory
//
// An upload and a download hold up to four buffers of 8 MiB each, and all those of a process 16 beyond the first of each
// upload: 128 MiB. A download that gets none reads from the network as its reader does.
//
// # Limits
//
//   - Data of unknown length have at most 78 GiB: S3 takes 10,000 parts. An [io.Seeker], such as a file, tells its length,
//     and gets larger parts, two at once.
//   - Directory buckets (S3 Express) are refused: they list keys in no order.
//   - Keys are what storage.CheckKey allows. S3 does not check that no key is another's folder.
//   - A missing bucket and a missing object look alike to Stat.
//   - Over http the request is signed with its bytes, as the SDK does it, which takes some of the processor's time.
package s3store
