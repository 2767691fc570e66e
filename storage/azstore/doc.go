// Package azstore keeps objects in Azure Blob Storage.
package azstore
