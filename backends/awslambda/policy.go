package awslambda

import (
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
	Bucket    string // of S3, without a prefix; empty where workers have another store
	VPC       bool   // workers are in one
}

// grant is one statement: what is allowed on what.
type grant struct {
	id        string
	actions   []string
	resources []string // with the place's names in braces
	condition map[string]any
	s3, vpc   bool // only with a bucket of S3, or in a VPC
}

// The statements of the two policies. They are the one place that says which permissions are needed; tests compare them
// with what was called.
var (
	driverGrants = []grant{
		{id: "Invoke", actions: []string{"lambda:InvokeFunction"}, resources: []string{functionARN}},
		{id: "Deploy", actions: []string{
			"lambda:CreateFunction", "lambda:GetFunction", "lambda:GetFunctionConcurrency", "lambda:PutFunctionConcurrency",
			"lambda:PutFunctionEventInvokeConfig", "lambda:TagResource", "lambda:UpdateFunctionCode",
		}, resources: []string{functionARN}},
		{id: "Destroy", actions: []string{"lambda:DeleteFunction", "lambda:ListTags"}, resources: []string{functionARN}},
		{id: "Account", actions: []string{"lambda:GetAccountSettings", "lambda:ListFunctions"}, resources: []string{"*"}},
		{id: "Role", actions: []string{
			"iam:CreateRole", "iam:DeleteRole", "iam:DeleteRolePolicy", "iam:GetRole", "iam:PutRolePolicy", "iam:TagRole",
		}, resources: []string{roleARN}},
		{id: "PassRole", actions: []string{"iam:PassRole"}, resources: []string{roleARN},
			condition: map[string]any{"StringEquals": map[string]string{"iam:PassedToService": "lambda.amazonaws.com"}}},
		{id: "Logs", actions: []string{"logs:CreateLogGroup", "logs:DeleteLogGroup", "logs:PutRetentionPolicy"}, resources: []string{groupARN, groupARN + ":*"}},
		{id: "Network", actions: []string{"ec2:DescribeSecurityGroups", "ec2:DescribeSubnets", "ec2:DescribeVpcs"}, resources: []string{"*"}, vpc: true},
		{id: "List", actions: []string{"s3:ListBucket"}, resources: []string{bucketARN}, s3: true},
		{id: "Objects", actions: objectActions, resources: []string{bucketARN + "/*"}, s3: true},
	}
	workerGrants = []grant{
		{id: "Logs", actions: []string{"logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"}, resources: []string{groupARN, groupARN + ":*"}},
		{id: "Network", actions: []string{
			"ec2:AssignPrivateIpAddresses", "ec2:CreateNetworkInterface", "ec2:DeleteNetworkInterface", "ec2:DescribeNetworkInterfaces",
			"ec2:DescribeSubnets", "ec2:UnassignPrivateIpAddresses",
		}, resources: []string{"*"}, vpc: true},
		{id: "List", actions: []string{"s3:ListBucket"}, resources: []string{bucketARN}, s3: true},
		{id: "Objects", actions: objectActions, resources: []string{bucketARN + "/*"}, s3: true},
	}
	objectActions = []string{"s3:AbortMultipartUpload", "s3:DeleteObject", "s3:GetObject", "s3:PutObject"}
)

const (
	functionARN = "arn:{partition}:lambda:{region}:{account}:function:{function}"
	roleARN     = "arn:{partition}:iam::{account}:role/{function}"
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
		Condition   map[string]any `json:",omitempty"`
	}
	names := strings.NewReplacer("{partition}", p.Partition, "{region}", p.Region, "{account}", p.Account, "{function}", p.Function, "{bucket}", p.Bucket)
	var statements []statement
	for _, g := range grants {
		if g.s3 && p.Bucket == "" || g.vpc && !p.VPC {
			continue
		}
		s := statement{g.id, "Allow", g.actions, nil, g.condition}
		for _, r := range g.resources {
			s.Resource = append(s.Resource, names.Replace(r))
		}
		statements = append(statements, s)
	}
	data, err := json.MarshalIndent(map[string]any{"Version": "2012-10-17", "Statement": statements}, "", "  ")
	if err != nil {
		panic(err) // there are strings in it, and nothing else
	}
	return string(data)
}

// place is where a function is.
func (b *Backend) place(region, function, bucketURL string) Place {
	p := Place{Partition: partition(region), Region: region, Account: "*", Function: function, VPC: len(b.config.Subnets) > 0}
	if u, err := url.Parse(bucketURL); err == nil && u.Scheme == "s3" {
		p.Bucket = u.Host
	}
	return p
}
