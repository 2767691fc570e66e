// Package s3store keeps objects in Amazon S3.
package s3store
