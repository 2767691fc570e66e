// Package awslambda runs tasks in AWS Lambda. Nothing is deployed by hand: Prepare makes the function, and a new build of
// the program costs one upload to the bucket. Importing it brings storage/s3store along.
//
// URL: awslambda://REGION?memory=1769. The region may be left out where AWS_REGION or the profile has one. Parameters:
//
//	memory       MB of a worker; defaults to 1769, which has one CPU. More memory has more CPUs
//	arch         amd64 (or x86_64) or arm64; defaults to this machine's, so that the running program itself is the worker, and
//	             floating-point results are the same to the bit here and there: Go fuses multiplication and addition on
//	             arm64, and not on amd64. A job of Lambda's arm64 costs a fifth less
//	timeout      longest invocation, such as 5m; defaults to 15m, Lambda's longest
//	storage      MB in /tmp; defaults to 512
//	role         ARN of the role that workers have; without it Prepare makes one that may use the bucket and write logs
//	concurrency  invocations at once that this driver makes; defaults to what the account has, or the function in reserve
//	reserved     invocations at once that are set aside for the function, which are also its most
//	subnets      identifiers of a VPC's subnets, separated by commas; then with groups
//	groups       identifiers of security groups in the VPC, separated by commas
//	retention    days that CloudWatch Logs keeps what workers print; defaults to 30
//	invoke       stream or plain; defaults to stream. Plain is for regions without response streaming: replies come whole,
//	             and large ones through the bucket
//	tag.NAME     a tag of the function and of the role
//	env.NAME     a variable in the environment of workers
//
// Credentials come from the SDK's default chain: the environment, the shared files, single sign-on, the role of the
// machine or function. AWS_ENDPOINT_URL_LAMBDA and the like work.
//
// # What it makes
//
// A function, and a role and a group of logs of the same name, which begins with gowren- and carries all of the
// configuration but concurrency, reserved and retention, the bucket's URL, and the version of the protocol: two drivers
// that differ in these have two functions, and those that agree share one. Destroy removes what Prepare has made, for one
// bucket, by these names. What has such a name and not the tag gowren is somebody else's: it stays, and is an error.
//
// # Invocations
//
// An invocation is one attempt. Its request has at most 4.5 MB. A worker serves one at a time, and the platform starts
// as many as are needed. A cancelled invocation is told to stop through the bucket, since Lambda does not tell a function
// that nobody listens any more: it takes some seconds. So is one whose connection is lost, unless Lambda has said that it
// ended or never began.
package awslambda
