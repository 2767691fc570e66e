package azstore

import (
	"io/fs"
	"net/http"
	"strings"

	"github.com/gowren/gowren/storage"
)

// codes are the service's errors by kind. Those that are not here have the kind of their status. The advice names
// CREDENTIALS, those in use, CONTAINER and ACCOUNT.
var codes = map[string]struct {
	kind   error
	advice string
}{
	"BlobNotFound":          {fs.ErrNotExist, ""},
	"ResourceNotFound":      {fs.ErrNotExist, ""},
	"ContainerNotFound":     {fs.ErrNotExist, "the account ACCOUNT has no container CONTAINER: create it, or correct the URL"},
	"ContainerBeingDeleted": {fs.ErrNotExist, "the container CONTAINER is being deleted, which takes a minute"},

	"BlobAlreadyExists": {fs.ErrExist, ""},

	"AuthenticationFailed":        {fs.ErrPermission, wrong},
	"InvalidAuthenticationInfo":   {fs.ErrPermission, wrong},
	"NoAuthenticationInformation": {fs.ErrPermission, ""},
	"AuthorizationFailure": {
		fs.ErrPermission, wrong + ", or it does not allow this, or the account takes no requests from this network",
	},
	"AuthorizationPermissionMismatch": {
		fs.ErrPermission,
		"CREDENTIALS does not allow it: an identity needs the role Storage Blob Data Contributor, a signature more permissions",
	},
	"AuthorizationResourceTypeMismatch": {
		fs.ErrPermission, "CREDENTIALS is not for objects or not for containers, and is needed for both",
	},
	"AuthorizationServiceMismatch": {fs.ErrPermission, "CREDENTIALS is not for blobs"},
	"KeyBasedAuthenticationNotPermitted": {
		fs.ErrPermission,
		"the account ACCOUNT takes tokens only: unset the AZURE_STORAGE_ variables, and use az login or a managed identity",
	},
	"PublicAccessNotPermitted": {fs.ErrPermission, ""},
	"AccountIsDisabled":        {fs.ErrPermission, "the account ACCOUNT is disabled"},
	"ContainerDisabled":        {fs.ErrPermission, "the container CONTAINER is disabled"},

	// What somebody has put on the object.
	"BlobArchived":             {fs.ErrPermission, "the object is archived, and must be brought back before it can be read"},
	"BlobImmutableDueToPolicy": {fs.ErrPermission, "a policy of the container CONTAINER keeps the object as it is"},
	"LeaseIdMissing":           {fs.ErrPermission, "another program holds a lease of the object"},
	"SnapshotsPresent":         {fs.ErrPermission, "the object has snapshots, which Delete leaves alone"},

	"ServerBusy":      {storage.ErrThrottled, ""},
	"TooManyRequests": {storage.ErrThrottled, ""},

	"InvalidBlobType":           {fs.ErrInvalid, "the object is a page or an append blob, and only block blobs are written"},
	"InvalidResourceName":       {fs.ErrInvalid, ""},
	"InvalidUri":                {fs.ErrInvalid, ""},
	"RequestUrlFailedToParse":   {fs.ErrInvalid, ""},
	"OutOfRangeInput":           {fs.ErrInvalid, ""},
	"RequestBodyTooLarge":       {fs.ErrInvalid, ""},
	"InvalidHeaderValue":        {fs.ErrInvalid, ""},
	"InvalidBlockId":            {fs.ErrInvalid, ""},
	"UnsupportedHeader":         {fs.ErrInvalid, ""},
	"InvalidBlobOrBlock":        {nil, "another program's upload of this key is unfinished: it, or a week, ends it"},
	"InvalidBlockList":          {nil, "another call has stored this key meanwhile, and the service then drops all others' blocks"},
	"BlockCountExceedsLimit":    {nil, "too many uploads of this key were left unfinished: a week ends them"},
	"Md5Mismatch":               {nil, "the data were changed on the way"},
	"OperationTimedOut":         {nil, ""},
	"InternalError":             {nil, ""},
	"UnauthorizedBlobOverwrite": {fs.ErrPermission, "CREDENTIALS allows new objects only"},
}

const wrong = "the account ACCOUNT refuses CREDENTIALS: it is wrong or expired, or this machine's clock is"

// classify returns what to do about an answer, and its kind.
func (b *bucket) classify(op string, status int, code string) (advice string, kind error) {
	if code == "UnauthorizedBlobOverwrite" && op == "putnew" {
		return "", fs.ErrExist
	}
	if c, ok := codes[code]; ok {
		return b.named(c.advice), c.kind
	}
	switch status {
	case http.StatusNotFound:
		return "", fs.ErrNotExist
	case http.StatusPreconditionFailed:
		switch {
		case op == "putnew":
			return "", fs.ErrExist
		case code == "ConditionNotMet" || code == "":
			return "", storage.ErrChanged
		}
	case http.StatusUnauthorized, http.StatusForbidden:
		return b.named("CREDENTIALS does not allow it"), fs.ErrPermission
	case http.StatusTooManyRequests:
		return "", storage.ErrThrottled
	}
	return "", nil
}

// named puts the names into an advice.
func (b *bucket) named(advice string) string {
	names := strings.NewReplacer("CREDENTIALS", b.access.what, "CONTAINER", b.place.container, "ACCOUNT", b.place.account)
	return names.Replace(advice)
}
