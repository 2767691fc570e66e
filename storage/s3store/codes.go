package s3store

import (
	"io/fs"

	"github.com/gowren/gowren/storage"
)

// codes are the errors of S3, and of servers that speak its language, by kind. Those that are not here are taken for
// passing ones by storage.Retry. The advice is a format for the bucket's name.
//
// A 503 without one of the codes of throttling is not among them: it may be a proxy's, of a request that went through.
var codes = map[string]struct {
	kind   error
	advice string
}{
	"NoSuchKey":    {fs.ErrNotExist, ""},
	"NoSuchBucket": {fs.ErrNotExist, "the bucket %s does not exist: make it, or check its name and the endpoint"},

	// An upload in parts that is gone was ended by somebody, or completed by an attempt whose answer was lost.
	"NoSuchUpload":               {nil, ""},
	"ConditionalRequestConflict": {nil, ""},

	"AccessDenied":          {fs.ErrPermission, "the credentials do not allow it in the bucket %s"},
	"AllAccessDisabled":     {fs.ErrPermission, ""},
	"AccountProblem":        {fs.ErrPermission, ""},
	"InvalidAccessKeyId":    {fs.ErrPermission, wrongKeys},
	"XAdminUserNotFound":    {fs.ErrPermission, wrongKeys}, // of versitygw
	"XAdminNoSuchUser":      {fs.ErrPermission, wrongKeys},
	"SignatureDoesNotMatch": {fs.ErrPermission, wrongKeys},
	"InvalidToken":          {fs.ErrPermission, expired},
	"ExpiredToken":          {fs.ErrPermission, expired},
	"TokenRefreshRequired":  {fs.ErrPermission, expired},
	"RequestTimeTooSkewed":  {fs.ErrPermission, "the clock of this machine is wrong, which makes signatures for the bucket %s invalid"},
	"RequestExpired":        {fs.ErrPermission, expired},

	"SlowDown":             {storage.ErrThrottled, ""},
	"SlowDownRead":         {storage.ErrThrottled, ""}, // of MinIO
	"SlowDownWrite":        {storage.ErrThrottled, ""},
	"RequestLimitExceeded": {storage.ErrThrottled, ""},
	"BandwidthLimitExceeded": {
		storage.ErrThrottled, "",
	},
	"TooManyRequests":          {storage.ErrThrottled, ""},
	"TooManyRequestsException": {storage.ErrThrottled, ""},
	"Throttling":               {storage.ErrThrottled, ""},
	"ThrottlingException":      {storage.ErrThrottled, ""},

	"KeyTooLongError":                    {fs.ErrInvalid, ""},
	"InvalidURI":                         {fs.ErrInvalid, ""},
	"InvalidBucketName":                  {fs.ErrInvalid, "%s is no name of a bucket"},
	"InvalidObjectName":                  {fs.ErrInvalid, ""},
	"XMinioInvalidObjectName":            {fs.ErrInvalid, ""},
	"XMinioParentIsObject":               {fs.ErrInvalid, parent},
	"ObjectParentIsFile":                 {fs.ErrInvalid, parent}, // of versitygw
	"ExistingObjectIsDirectory":          {fs.ErrInvalid, parent},
	"EntityTooLarge":                     {fs.ErrInvalid, ""},
	"AuthorizationHeaderMalformed":       {fs.ErrInvalid, "the bucket %s may be in another region: set ?region=… in the URL"},
	"PermanentRedirect":                  {fs.ErrInvalid, "the bucket %s is in another region: set ?region=… in the URL"},
	"InvalidStorageClass":                {fs.ErrInvalid, ""},
	"NotImplemented":                     {fs.ErrInvalid, "the store of the bucket %s does not know this request"},
	"IllegalLocationConstraintException": {fs.ErrInvalid, "the bucket %s is in another region: set ?region=… in the URL"},
}

// What to do, for several codes.
const (
	wrongKeys = "the credentials are not known to the store of the bucket %s: check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, " +
		"or the profile or the role in use"
	expired = "the credentials for the bucket %s have expired: renew them, and AWS_SESSION_TOKEN with them"
	parent  = "in the bucket %s, no key is another's folder"
)
