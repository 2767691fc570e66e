// Package azfunc is, for tests, what a driver of Azure Functions sees of Azure on the plan Flex Consumption:
//
//   - the resource manager, for the calls that [Actions] lists: it checks tokens, versions of the API, permissions and the
//     fields of what is sent, and answers with Azure's error bodies and long-running operations;
//   - the site of deployments (One Deploy) of each app;
//   - the front of each app and the Functions host behind it, which unpacks what was deployed, starts its custom handler,
//     one process an instance, and passes requests to it;
//   - the endpoint of managed identities, from which driver and workers may take their tokens.
//
// Each app has two addresses of its own on the loopback interface, which the resource manager tells.
//
// # What it follows
//
// The host's own source, for custom handlers (Azure/azure-functions-host, Workers/Http): the variables that a handler gets;
// that it is ready when it answers anything; enableForwardingHttpRequest, which holds an answer back until it is whole; and
// enableProxyingHttpRequest, which passes requests and answers on as they come, and tries again only where no connection
// came about. The second came to the host in 2025, and to Flex Consumption alone. It gives a silent answer up after 240
// seconds, which is more than the front does.
//
// Public clients of One Deploy, for its path, its answers, and its status: it takes no type= on this plan, and says that a
// deployment succeeded even where the host then finds no function in it, as where the package lacks permissions of Unix.
//
// # What it cannot show
//
// Whether Azure takes what this takes, and refuses no more; how long things take there; how Azure scales; whether the front
// ends an answer that streams at 230 seconds, as this does, or lets it go on; and whether a driver that hangs up stops
// the work, as here. Tokens for the storage are given out, but no storage is here that takes them. Memory is not bounded.
package azfunc
