package lambda

import (
	"encoding/xml"
	"errors"
	"fmt"
	"net/http"
	"strings"
)

// serveQuery serves IAM and STS, which speak the same: a form in, XML out.
func (c *call) serveQuery() {
	c.r.Body = http.MaxBytesReader(c.w, c.r.Body, 1<<20)
	if err := c.r.ParseForm(); err != nil {
		c.failQuery(refuse(http.StatusBadRequest, "MalformedQueryString", "%v", err))
		return
	}
	action, version := c.r.PostForm.Get("Action"), c.r.PostForm.Get("Version")
	var reply any
	var err error
	service := map[string]string{"2010-05-08": "iam", "2011-06-15": "sts"}[version]
	switch service {
	case "":
		err = refuse(http.StatusBadRequest, "InvalidAction", "no service of the stand-in has version %q", version)
	default:
		if c.who, err = c.s.keys.identify(c.r, service); err != nil {
			break
		}
		if service == "iam" {
			reply, err = c.query(action)
		} else {
			reply, err = c.sts(action)
		}
	}
	if err != nil {
		c.failQuery(err)
		return
	}
	result := ""
	if reply != nil {
		text, err := xml.Marshal(reply)
		if err != nil {
			c.failQuery(err)
			return
		}
		// A reply of several fields has no name of its own.
		result = strings.TrimSuffix(strings.TrimPrefix(string(text), "<fields>"), "</fields>")
		result = fmt.Sprintf("<%sResult>%s<IsTruncated>false</IsTruncated></%sResult>", action, result, action)
	}
	c.w.Header().Set("Content-Type", "text/xml")
	_, _ = fmt.Fprintf(c.w, "<%sResponse>%s<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>", action, result, c.id, action)
}

// failQuery answers with an error, as these services have it.
func (c *call) failQuery(err error) {
	e, ok := errors.AsType[*refusal](err)
	if !ok {
		e = &refusal{status: http.StatusInternalServerError, code: "ServiceFailure", message: err.Error()}
	}
	text, _ := xml.Marshal(struct { // strings can be encoded
		XMLName             xml.Name `xml:"Error"`
		Type, Code, Message string
	}{Type: "Sender", Code: e.code, Message: e.message})
	c.w.Header().Set("Content-Type", "text/xml")
	c.w.WriteHeader(e.status)
	_, _ = fmt.Fprintf(c.w, "<ErrorResponse>%s<RequestId>%s</RequestId></ErrorResponse>", text, c.id)
}

// sts does an action of STS. GetCallerIdentity needs no permission.
func (c *call) sts(action string) (any, error) {
	if action != "GetCallerIdentity" {
		return nil, refuse(http.StatusBadRequest, "InvalidAction", "no action of the stand-in: %s", action)
	}
	return struct {
		XMLName              xml.Name `xml:"fields"`
		Arn, UserId, Account string
	}{Arn: c.who.arn, UserId: "AIDASTANDIN", Account: c.s.Account}, nil
}
