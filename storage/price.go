package storage

// prices holds what a request costs in US dollars, by the scheme of a bucket's URL: S3 Standard in us-east-1, Cloud Storage
// Standard in one region of the USA, Blob Storage hot and locally redundant in East US. The providers' lists name prices for
// a thousand, or ten thousand, requests; that of S3 was last compared with a published list in November 2026, the other two
// are as they were known to the authors then. What is charged for keeping bytes, and for sending them out of a region, is
// not in it: a job's data stay for hours, and in their region.
var prices = map[string][kinds]float64{
	"s3": {KindGet: 0.0004 / 1e3, KindStat: 0.0004 / 1e3, KindPut: 0.005 / 1e3, KindList: 0.005 / 1e3},
	"gs": {KindGet: 0.0004 / 1e3, KindStat: 0.0004 / 1e3, KindPut: 0.005 / 1e3, KindList: 0.005 / 1e3},
	"az": {KindGet: 0.004 / 1e4, KindStat: 0.004 / 1e4, KindPut: 0.05 / 1e4, KindList: 0.05 / 1e4},
}

// Cost estimates, in US dollars, what the store at a bucket's URL charges for the requests: at the list price of one usual
// class and region, without discounts. It is 0 for a store that charges for none.
func (s Stats) Cost(bucketURL string) float64 {
	u, err := parse(bucketURL)
	if err != nil {
		return 0
	}
	cost := 0.0
	for k, price := range prices[u.Scheme] {
		cost += price * float64(s.Requests[k])
	}
	return cost
}
