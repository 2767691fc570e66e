// Package azfunc is, for tests, what a driver of Azure Functions sees of Azure on the plan Flex Consumption:
//
//   - the resource manager, for the calls that [Actions] lists: it checks tokens, versions of the API, permissions and the
//     fields of what is sent, and answers with Azure's error bodies and long-running operations;
//   - the site of deployments (One Deploy) of each app;
//   - the front of each app and the Functions host behind it, which unpacks what was deployed, starts its custom handler,
//     one process an instance, and passes requests to it, as the host's own source does it;
//   - the endpoint of managed identities, from which driver and workers may take their tokens.
//
// Each app has two addresses of its own on the loopback interface, which the resource manager tells. What it cannot show:
// whether Azure itself takes what this takes, how long things take there, and how Azure scales. Access tokens for the
// storage are given out, but no storage is here that takes them.
package azfunc
