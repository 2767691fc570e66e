package awslambda

import (
	"cmp"
	"encoding/json"
	"net/url"
	"strings"
)

// Place is what policies name.
type Place struct {
	Partition string // of AWS: aws, aws-cn or aws-us-gov
	Region    string
	Account   string // 12 digits, or * for any
	Function  string // a name, or gowren-* for all
	Role      string // ARN of the workers' role, where it was made by hand; empty has Prepare make one
	Bucket    string // of S3; empty where workers have another store
	Prefix    string // in the bucket, without a slash at its ends; empty is all of it
	VPC       bool   // workers are in one
	Forever   bool   // logs are kept for ever: their group is made by workers, and not by the driver
}

// grant is one statement: what is allowed on what.
type grant struct {
	id        string
	actions   []string
	resources []string // with the place's names in braces
	condition map[string]map[string]string
	only      func(Place) bool // where it is needed; nil is everywhere
}

// The statements of the two policies. They are the one place that says which permissions are needed; tests compare them
// with what was called.
var (
	driverGrants = []grant{
		{id: "Invoke", actions: []string{"lambda:InvokeFunction"}, resources: []string{functionARN}},
		{id: "Deploy", actions: []string{
			"lambda:CreateFunction", "lambda:GetFunction", "lambda:GetFunctionConcurrency", "lambda:ListTags",
			"lambda:PutFunctionConcurrency", "lambda:PutFunctionEventInvokeConfig", "lambda:TagResource", "lambda:UpdateFunctionCode",
		}, resources: []string{functionARN}},
		{id: "Destroy", actions: []string{"lambda:DeleteFunction"}, resources: []string{functionARN}},
		{id: "Account", actions: []string{"lambda:GetAccountSettings"}, resources: []string{"*"}},
		{id: "Role", actions: []string{
			"iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:PutRolePolicy", "iam:TagRole",
		}, resources: []string{madeARN}, only: makesRole},
		{id: "PassRole", actions: []string{"iam:PassRole"}, resources: []string{"{role}"},
			condition: map[string]map[string]string{"StringEquals": {"iam:PassedToService": "lambda.amazonaws.com"}}},
		{id: "Logs", actions: []string{"logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy"}, resources: []string{groupARN, groupARN + ":*"}},
		{id: "Network", actions: []string{"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"}, resources: []string{"*"}, only: inVPC},
		{id: "List", actions: []string{"s3:ListBucket"}, resources: []string{bucketARN}, condition: ofPrefix, only: ofS3},
		{id: "Objects", actions: objectActions, resources: []string{bucketARN + "/{prefix}*"}, only: ofS3},
	}
	workerGrants = []grant{
		{id: "LogGroup", actions: []string{"logs:CreateLogGroup"}, resources: []string{groupARN, groupARN + ":*"}, only: keepsLogs},
		{id: "Logs", actions: []string{"logs:CreateLogStream", "logs:PutLogEvents"}, resources: []string{groupARN, groupARN + ":*"}},
		{id: "Network", actions: []string{
			"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
			"ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
		}, resources: []string{"*"}, only: inVPC},
		{id: "List", actions: []string{"s3:ListBucket"}, resources: []string{bucketARN}, condition: ofPrefix, only: ofS3},
		{id: "Objects", actions: objectActions, resources: []string{bucketARN + "/{prefix}*"}, only: ofS3},
	}
	objectActions = []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"}
	// ofPrefix bounds what is listed. S3 also asks it, with the key, whether it may say that an object is not there.
	ofPrefix = map[string]map[string]string{"StringLike": {"s3:prefix": "{prefix}*"}}
)

func makesRole(p Place) bool { return p.Role == "" }
func ofS3(p Place) bool      { return p.Bucket != "" }
func inVPC(p Place) bool     { return p.VPC }
func keepsLogs(p Place) bool { return p.Forever }

const (
	functionARN = "arn:{partition}:lambda:{region}:{account}:function:{function}"
	madeARN     = "arn:{partition}:iam::{account}:role/{function}"
	groupARN    = "arn:{partition}:logs:{region}:{account}:log-group:/aws/lambda/{function}"
	bucketARN   = "arn:{partition}:s3:::{bucket}"
)

// trustPolicy lets Lambda, and nobody else, take the workers' role.
const trustPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`

// DriverPolicy returns the least that a driver needs, as a policy of IAM in JSON. One that only uses functions which are
// there already needs the statements Invoke, List and Objects.
func DriverPolicy(p Place) string { return p.policy(driverGrants) }

// WorkerPolicy returns the least that the role of workers needs, as a policy of IAM in JSON.
func WorkerPolicy(p Place) string { return p.policy(workerGrants) }

func (p Place) policy(grants []grant) string {
	type statement struct {
		Sid, Effect string
		Action      []string
		Resource    []string
		Condition   map[string]map[string]string `json:",omitempty"`
	}
	names := p.names()
	var statements []statement
	for _, g := range grants {
		if g.only != nil && !g.only(p) {
			continue
		}
		s := statement{g.id, "Allow", g.actions, nil, map[string]map[string]string{}}
		for _, r := range g.resources {
			s.Resource = append(s.Resource, names.Replace(r))
		}
		for operator, keys := range g.condition {
			for key, value := range keys {
				if value = names.Replace(value); value != "*" { // that is all
					s.Condition[operator] = map[string]string{key: value}
				}
			}
		}
		statements = append(statements, s)
	}
	data, err := json.MarshalIndent(map[string]any{"Version": "2012-10-17", "Statement": statements}, "", "  ")
	if err != nil {
		panic(err) // there are strings in it, and nothing else
	}
	return string(data)
}

// names puts the names of the place into resources. What has a meaning in them is taken as it is written in a prefix.
func (p Place) names() *strings.Replacer {
	made := strings.NewReplacer("{partition}", p.Partition, "{account}", p.Account, "{function}", p.Function).Replace(madeARN)
	prefix := strings.NewReplacer("*", "${*}", "?", "${?}", "$", "${$}").Replace(p.Prefix)
	if prefix != "" {
		prefix += "/"
	}
	return strings.NewReplacer("{partition}", p.Partition, "{region}", p.Region, "{account}", p.Account, "{function}", p.Function,
		"{role}", cmp.Or(p.Role, made), "{bucket}", p.Bucket, "{prefix}", prefix)
}

// place is where a function is.
func (b *Backend) place(region, function, bucketURL string) Place {
	p := Place{
		Partition: partition(region), Region: region, Account: "*", Function: function, Role: b.config.Role,
		VPC: len(b.config.Subnets) > 0, Forever: b.config.RetentionDays < 0,
	}
	if u, err := url.Parse(bucketURL); err == nil && u.Scheme == "s3" {
		p.Bucket, p.Prefix = u.Host, strings.Trim(u.Path, "/")
	}
	return p
}
