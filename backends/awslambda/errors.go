package awslambda

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"

	"github.com/gowren/gowren/backends"
)

// codes are the answers of the services, by class and with what to do.
var codes = map[string]struct {
	class  error
	remedy string
}{
	"TooManyRequestsException":  {backends.ErrThrottled, ""},
	"ThrottlingException":       {backends.ErrThrottled, ""},
	"Throttling":                {backends.ErrThrottled, ""},
	"EC2ThrottledException":     {backends.ErrThrottled, ""},
	"ENILimitReachedException":  {backends.ErrThrottled, "the VPC has no room for more network interfaces"},
	"ENINotReadyException":      {backends.ErrThrottled, ""},
	"ResourceNotReadyException": {backends.ErrThrottled, ""},
	"ResourceConflictException": {backends.ErrThrottled, "the function is being made or changed"},

	"AccessDeniedException":        {backends.ErrRefused, denied},
	"AccessDenied":                 {backends.ErrRefused, denied},
	"UnrecognizedClientException":  {backends.ErrRefused, wrongKeys},
	"InvalidClientTokenId":         {backends.ErrRefused, wrongKeys},
	"SignatureDoesNotMatch":        {backends.ErrRefused, wrongKeys},
	"InvalidSignatureException":    {backends.ErrRefused, wrongKeys + ", and this machine's clock"},
	"IncompleteSignature":          {backends.ErrRefused, wrongKeys},
	"IncompleteSignatureException": {backends.ErrRefused, wrongKeys},
	"MissingAuthenticationTokenException": {
		backends.ErrRefused, wrongKeys,
	},
	"OptInRequired":                   {backends.ErrRefused, "enable the region in the account"},
	"ExpiredTokenException":           {backends.ErrRefused, expired},
	"ExpiredToken":                    {backends.ErrRefused, expired},
	"RequestExpired":                  {backends.ErrRefused, "check this machine's clock"},
	"KMSAccessDeniedException":        {backends.ErrRefused, "give the workers' role the use of the key"},
	"KMSDisabledException":            {backends.ErrRefused, "enable the key"},
	"KMSNotFoundException":            {backends.ErrRefused, "check the key"},
	"ResourceNotFoundException":       {backends.ErrInvalid, "the function was deleted: open the executor again, which makes it anew"},
	"RequestTooLargeException":        {backends.ErrInvalid, ""},
	"RequestEntityTooLargeException":  {backends.ErrInvalid, ""},
	"InvalidRequestContentException":  {backends.ErrInvalid, ""},
	"InvalidParameterValueException":  {backends.ErrInvalid, ""},
	"ValidationException":             {backends.ErrInvalid, ""},
	"ValidationError":                 {backends.ErrInvalid, ""},
	"SerializationException":          {backends.ErrInvalid, ""},
	"InvalidZipFileException":         {backends.ErrInvalid, ""},
	"InvalidRuntimeException":         {backends.ErrInvalid, ""},
	"UnsupportedMediaTypeException":   {backends.ErrInvalid, ""},
	"CodeStorageExceededException":    {backends.ErrInvalid, "delete functions or old versions: the account's room for code is full"},
	"CodeVerificationFailedException": {backends.ErrInvalid, "the account takes signed code only"},
	"LimitExceeded":                   {backends.ErrInvalid, "the account has as many roles, or a role as much policy, as it may"},
	"MalformedPolicyDocument":         {backends.ErrInvalid, ""},
	"NoSuchEntity":                    {backends.ErrInvalid, ""},
	"SubnetIPAddressLimitReachedException": {
		backends.ErrThrottled, "a subnet has no free addresses",
	},
	"InvalidSubnetIDException":        {backends.ErrInvalid, "check the subnets"},
	"InvalidSecurityGroupIDException": {backends.ErrInvalid, "check the security groups"},
	"EC2AccessDeniedException":        {backends.ErrRefused, "the workers' role lacks the permissions for a VPC (docs/aws.md)"},
}

// What to do, for several codes.
const (
	denied    = "give the driver the policy of docs/aws.md, or have somebody deploy who has it"
	wrongKeys = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or the profile or the role in use"
	expired   = "renew the credentials, such as by aws sso login, and AWS_SESSION_TOKEN with them"
)

// failed says what an error of the SDK means: what was done, its class, and what to do.
func failed(ctx context.Context, what string, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	said := explain(ctx, what, err)
	if unknown(err) {
		return &backends.AccountError{Err: said}
	}
	return said
}

// unknown reports whether an error is one of reaching the account at all.
func unknown(err error) bool {
	return errors.As(err, new(*credentialsError)) || backends.Unconnected(err) || isCode(err, "UnrecognizedClientException", "InvalidClientTokenId",
		"SignatureDoesNotMatch", "InvalidSignatureException", "IncompleteSignature", "IncompleteSignatureException", "MissingAuthenticationTokenException",
		"OptInRequired", "ExpiredTokenException", "ExpiredToken", "RequestExpired")
}

// explain puts an error of the SDK into words.
func explain(ctx context.Context, what string, err error) error {
	if none := (*credentialsError)(nil); errors.As(err, &none) {
		if passing(none.error) {
			err := explain(ctx, what+": renew the credentials", none.error)
			if !errors.Is(err, backends.ErrThrottled) { // nothing was sent, and so nothing is lost
				err = fmt.Errorf("%w: %w", backends.ErrThrottled, err)
			}
			return &credentialsError{err}
		}
		return fmt.Errorf("awslambda: %s: no credentials were found, or they cannot be had: run aws configure or aws sso login, or set "+
			"AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY: %w: %w", what, backends.ErrRefused, none)
	}
	code, message := codeOf(err)
	if c, ok := codes[code]; ok {
		return classed(what, code, message, c.remedy, c.class, err)
	}
	switch status := statusOf(err); {
	case status == http.StatusTooManyRequests, status == http.StatusServiceUnavailable && code != "" && code != "UnknownError":
		// A 503 without a code of Lambda's is that of something in between, which may have lost an answer.
		return classed(what, code, message, "", backends.ErrThrottled, err)
	case status == http.StatusUnauthorized, status == http.StatusForbidden:
		return classed(what, code, message, denied+"; a proxy in between may have answered, too", backends.ErrRefused, err)
	case status == http.StatusRequestEntityTooLarge:
		return classed(what, code, message, "", backends.ErrInvalid, err)
	case status == http.StatusNotFound, status >= 300 && status < 400:
		return classed(what, code, message, "that is not Lambda's answer: check AWS_ENDPOINT_URL and what is in between", backends.ErrInvalid, err)
	}
	return fmt.Errorf("awslambda: %s: %w", what, network(err))
}

// passing tells of why credentials could not be had whether a later attempt may have them: their service was too busy, had
// a failure of its own, or was not reached.
func passing(err error) bool {
	code, _ := codeOf(err)
	switch status := statusOf(err); {
	case codes[code].class == backends.ErrThrottled, status == http.StatusTooManyRequests, status >= 500:
		return true
	case status >= 300:
		return false
	}
	// Where the chain finds nothing, it asks at last the machine's own service, which elsewhere than on EC2 is not there.
	var call *smithy.OperationError
	if errors.As(err, &call) && call.ServiceID == "ec2imds" {
		return false
	}
	return errors.As(err, new(*url.Error)) || errors.As(err, new(net.Error))
}

// statusOf is that of the answer that err is about, or 0.
func statusOf(err error) int {
	var answer interface {
		error
		HTTPStatusCode() int
	}
	if errors.As(err, &answer) {
		return answer.HTTPStatusCode()
	}
	return 0
}

// codeOf is that of the answer that err is about. Of credentials that could not be had, it is not the service's answer.
func codeOf(err error) (code, message string) {
	if errors.As(err, new(*credentialsError)) {
		return "", ""
	}
	var api smithy.APIError
	if errors.As(err, &api) {
		return api.ErrorCode(), api.ErrorMessage()
	}
	return "", ""
}

// isCode tells whether err is an answer with one of the codes.
func isCode(err error, code ...string) bool {
	is, _ := codeOf(err)
	for _, c := range code {
		if is == c {
			return true
		}
	}
	return false
}

func classed(what, code, message, remedy string, class, err error) error {
	text := what
	// An answer about a bad signature goes on with what was signed, session token included.
	message, _, _ = strings.Cut(message, "\n")
	message = message[:min(len(message), 1000)]
	var many *types.TooManyRequestsException
	if errors.As(err, &many) && many.Reason != "" {
		code += " (" + string(many.Reason) + ")"
	}
	for _, part := range []string{code, message, remedy} {
		if part != "" {
			text += ": " + part
		}
	}
	if code == "" && message == "" {
		text += ": " + network(err).Error()
	}
	return fmt.Errorf("awslambda: %s: %w", text, class)
}

// network returns what is inside an error of the connection, without the URL, which an endpoint of the environment may
// have made secret.
func network(err error) error {
	var name *net.DNSError
	if errors.As(err, &name) {
		return fmt.Errorf("%w: check the region", name)
	}
	var inside *url.Error
	if errors.As(err, &inside) {
		return inside.Err
	}
	return err
}

// lose makes an error that has no class a lost worker's: something may have run.
func lose(worker string, err error) error {
	for _, class := range []error{backends.ErrThrottled, backends.ErrRefused, backends.ErrInvalid, context.Canceled, context.DeadlineExceeded} {
		if errors.Is(err, class) {
			return err
		}
	}
	if errors.As(err, new(*backends.LostError)) {
		return err
	}
	return &backends.LostError{Worker: worker, Cause: err}
}

// unbegun tells of the error of a call to invoke whether nothing began by it: the service has refused it, or it has not
// left this machine.
func unbegun(err error) bool {
	for _, class := range []error{backends.ErrThrottled, backends.ErrRefused, backends.ErrInvalid} {
		if errors.Is(err, class) {
			return true
		}
	}
	return backends.Unconnected(err) || errors.As(err, new(*credentialsError))
}

// crash is how a function ended that did not answer: what Lambda says of it, and the end of its log.
func crash(worker, kind, message, log string) error {
	lost := &backends.LostError{Worker: worker, Output: printed(log), Cause: fmt.Errorf("%s: %s", kind, message)}
	switch {
	case strings.Contains(kind+message, "InvalidEntrypoint") && strings.Contains(message, "exec format error"):
		return fmt.Errorf("awslambda: the function's program is for another processor than the function (arch): %s: %w", message, backends.ErrInvalid)
	case strings.Contains(kind, "Timedout") || strings.Contains(message, "Task timed out"):
		lost.Cause = fmt.Errorf("%s: %w", message, backends.ErrTimeout)
	case strings.Contains(kind, "OutOfMemory") || strings.Contains(message, "signal: killed") && full(log):
		lost.Cause = fmt.Errorf("%s: %w: raise the memory parameter", message, backends.ErrOutOfMemory)
	}
	return lost
}

// full tells by a log's last line whether the function had used all its memory.
func full(log string) bool {
	var size, used int
	for field := range strings.SplitSeq(log, "\t") {
		_, _ = fmt.Sscanf(field, "Memory Size: %d MB", &size) // most fields are others
		_, _ = fmt.Sscanf(field, "Max Memory Used: %d MB", &used)
	}
	return used > 0 && used >= size
}

// printed is what of a log the function itself has printed.
func printed(log string) string {
	var out strings.Builder
	for line := range strings.Lines(log) {
		if !strings.HasPrefix(line, "START RequestId: ") && !strings.HasPrefix(line, "END RequestId: ") && !strings.HasPrefix(line, "REPORT RequestId: ") {
			out.WriteString(line)
		}
	}
	return strings.TrimSpace(out.String())
}
