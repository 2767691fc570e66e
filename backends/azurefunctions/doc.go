// Package azurefunctions runs tasks in Azure Functions, on the plan Flex Consumption: a worker is an instance of a function
// app whose custom handler is the user's own program. The app is made by the first driver that needs it, and kept.
//
// URL: azurefunctions://SUBSCRIPTION/RESOURCE-GROUP/LOCATION, such as azurefunctions://ID/gowren/westeurope, and
//
//	memory     of an instance in MB: 512, 2048 or 4096, with a quarter, one and two CPUs; defaults to 2048
//	instances  at most: 40 to 1000; defaults to 100
//	storage    the account for the app's package and its host's own data, in the same resource group; defaults to the
//	           account of an az:// bucket
//	identity   the name of a user-assigned identity of the resource group, by which workers reach the bucket; without it
//	           the app has one of its own, to which the driver assigns roles
//	endpoint   of the resource manager, for another cloud than the public one
//
// The driver's credentials are those of Azure's own tools: az login, a managed or workload identity, or the AZURE_
// variables of a service principal. The key of the function is asked for by them, and kept in memory alone.
//
// One invocation takes at most 220 seconds from its sending: Azure's front ends a request at 230. 30 of them are kept for
// the wait for an instance and its start, so that tasks have 190.
//
// A running invocation looks in the bucket whether it was told to stop: after half a second, then less and less often, every
// four seconds in the end; each look is one request. One whose connection broke is told so, while its tasks are tried again.
//
// A bucket's account key in the driver's environment does not come to workers; they have their identity.
//
// docs/azure.md has the roles that driver and workers need, made from [DriverRole] and [WorkerRole].
package azurefunctions
