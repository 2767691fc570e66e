// Package azstore keeps objects in Azure Blob Storage, as block blobs. Importing it registers the scheme az:
//
//	az://account/container
//	az://account/container/prefix?endpoint=https://account.blob.core.usgovcloudapi.net
//
// The container must exist. The endpoint is the address of the account's blobs, by default that of Azure's public cloud;
// of the emulator Azurite it is http://127.0.0.1:10000/account. There are no other parameters.
//
// # Credentials
//
// They come from the environment, by the names that Azure's command line uses. The first of these that is set is used:
//
//   - AZURE_STORAGE_CONNECTION_STRING, of which a BlobEndpoint is used too where the URL has no endpoint; one with another
//     AccountName is passed over
//   - AZURE_STORAGE_KEY, a key of the account
//   - AZURE_STORAGE_SAS_TOKEN, a shared access signature with the permissions rcwdl
//   - otherwise tokens of Microsoft Entra, from where the SDK's DefaultAzureCredential finds an identity: AZURE_TENANT_ID,
//     AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH, a workload identity, a managed identity,
//     az login, azd, PowerShell. The identity needs the role Storage Blob Data Contributor. AZURE_TOKEN_CREDENTIALS
//     makes the choice smaller. Tokens are not sent over http, nor are signatures but to this machine.
//
// Key and signature are passed over for accounts other than AZURE_STORAGE_ACCOUNT, where that is set. None of all this is
// ever in a URL of a bucket, in an error, or in the SDK's log.
//
// # Requests
//
// A Put of up to 8 MiB is one request. A larger one is a request for each block of 8 MiB, four of them at the same time,
// and one that makes the object of them; a PutNew that large looks first whether the key is taken. Memory is five blocks.
// A Get of up to 4 MiB is one request; more is read in ranges of that size, four of them ahead of the reader, all of one
// version. An empty object costs two, as does what begins past an object's end. A listing is one request for 5,000 objects,
// Stat is one, and Delete one a key, 16 at the same time: the service's batches are charged for by the key all the same.
//
// The SDK repeats a request three times that fails or meets a busy store. The last request of a PutNew is sent once: see
// [storage.Retry]. A range whose bytes are cut or damaged is asked for three times. A bucket counts all this:
// [storage.StatsOf].
//
// # Checksums
//
// Each request that brings data carries their MD5, which the service verifies, and each range comes with its MD5, which is
// verified before a byte of it is read. Bytes that come damaged three times are [storage.ErrDamaged]. The list of blocks
// that makes a large object has none, but random names, so that a changed list is refused. Listings and what Stat says
// have none either, beyond those of TLS.
//
// # Limits
//
//   - A key has no backslash, and no segment that ends in a dot: Azure does not keep them as they are. It has 254 segments
//     at most.
//   - An object has at most 50,000 blocks, which grow from 8 to 64 MiB: 1.2 TiB.
//   - Whoever makes an object of a key takes the unfinished blocks of all other uploads of that key away. Of several large
//     PutNews at once one wins all the same, and the others get fs.ErrExist; of several large Puts, some may fail with an
//     error that [storage.Retry] tries again.
//   - Blocks of an upload that breaks off are not visible. The service removes them after a week.
//   - Objects that have snapshots are not deleted. Deletion, and replacement, keep what the account's versions and soft
//     delete are set to keep.
//   - With a hierarchical namespace, folders are not listed. Where the service does not list in the order of bytes, List
//     fails.
//
// A worker that links this package is some 6.4 MiB larger.
package azstore
