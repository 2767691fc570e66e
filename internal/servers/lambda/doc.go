// Package lambda is a stand-in, for tests, for AWS Lambda and the little of IAM, STS and CloudWatch Logs that goes with
// it. It has no account and asks no cloud: functions are run as real processes on this machine.
//
//	s := lambda.Start(t, lambda.Options{})
//	client := awslambda.New(awslambda.Options{BaseEndpoint: &s.Endpoint, Region: s.Region, Credentials: ...})
//
// One endpoint serves all four services. It refuses what they refuse, as far as their documentation and the model in the
// SDK say: unknown fields, values out of range, calls in the wrong state, roles that are too new. What it cannot imitate
// it refuses too, so that no test passes for want of an answer. Signatures are not checked, only whose key signed.
//
// # Functions
//
// An execution environment is the bootstrap of the function's archive, with a Runtime API of its own and a clean
// environment, as Lambda gives it. Where the machine allows ([Server.Confines]) it has the function's memory and no more,
// and all its processes are frozen between invocations. Elsewhere they are stopped by signals, and memory is not
// limited. There is no root folder of its own: LAMBDA_TASK_ROOT is a temporary folder, where Lambda has /var/task.
// Neither CPU time nor ephemeral storage is limited.
//
// An invocation is over when its environment asks for the next one, as on Lambda. A buffered reply is given then, and not
// before, so that a test that calls twice in a row meets the same environment.
//
// # The end
//
// Environments end with the server, which ends with its test. They end with the test process too, however that ends:
// Linux kills the bootstraps, and a small keeper, this same test binary started once more, thaws and kills what is
// frozen and removes the control groups.
package lambda
