package feed_test

import (
	"context"
	"fmt"
	"log"
	"strings"
	"time"

	"github.com/alicebob/miniredis/v2"
	"github.com/chargehand/chargehand/billing"
	"github.com/chargehand/chargehand/feed"
)

// A meter that is written in Go puts its records on the queue by itself. Send
// returns when Redis has the record; sending it again after an error is
// harmless, as its identity makes the second one a duplicate.
func ExampleClient() {
	redis := miniredis.NewMiniRedis() // stands in for the Redis that the workers use
	if err := redis.Start(); err != nil {
		log.Fatal(err)
	}
	defer redis.Close()

	ctx := context.Background()
	client, err := feed.Connect(ctx, "redis://"+redis.Addr(), feed.ClientOptions{Shards: 8})
	if err != nil {
		log.Fatal(err)
	}
	minutes, err := billing.ParseQuantity("12.5")
	if err != nil {
		log.Fatal(err)
	}
	err = client.Send(ctx, &billing.UsageRecord{
		Source:     "switch-1",
		ID:         "c7",
		Account:    "A-1001",
		Service:    "call",
		Quantity:   minutes,
		OccurredAt: time.Date(2026, time.March, 2, 9, 30, 0, 0, time.UTC),
	})
	if err != nil {
		log.Fatal(err)
	}
	if err := client.Close(); err != nil {
		log.Fatal(err)
	}

	waiting, err := redis.List("asynq:{usage-06}:pending")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(len(waiting), "batch waits for the worker of shard 6")
	// Output: 1 batch waits for the worker of shard 6
}

// Read is what ingest and the API read by: every line that is not blank comes
// out once, as a record or with what is wrong with it.
func ExampleRead() {
	file := strings.NewReader(`{"source":"switch-1","id":"m1","account":"A-1001","service":"sms","quantity":3,"occurred_at":"2026-03-02T08:10:00+02:00"}
{"source":"switch-1","id":"m2","account":"A-1001","service":"sms","quantity":0,"occurred_at":"2026-03-02T08:40:00+02:00"}`)
	for line, err := range feed.Read(file, feed.Options{}) {
		switch {
		case err != nil:
			log.Fatal(err)
		case line.Fault != nil:
			fmt.Printf("line %d: %s\n", line.Number, line.Fault)
		default:
			fmt.Printf("line %d: %s\n", line.Number, billing.AppendRecord(nil, &line.Record))
		}
	}
	// Output:
	// line 1: {"source":"switch-1","id":"m1","account":"A-1001","service":"sms","quantity":"3","occurred_at":"2026-03-02T06:10:00Z"}
	// line 2: quantity: number "0": not above zero
}

// A table from elsewhere: its columns are mapped, what it lacks is set, and its
// local times are given a zone.
func ExampleRead_table() {
	bill := strings.NewReader("line,customer,minutes,when,tower\n7,A-1001,10,2026-03-02 09:00:00,T9\n")
	zone, err := time.LoadLocation("Europe/Athens")
	if err != nil {
		log.Fatal(err)
	}
	options := feed.Options{
		Format: feed.CSV,
		Map: feed.Fields{
			billing.IDField: "line", billing.AccountField: "customer",
			billing.QuantityField: "minutes", billing.OccurredAtField: "when",
		},
		Set:  feed.Fields{billing.SourceField: "partner", billing.ServiceField: "call"},
		Zone: zone,
	}
	for line, err := range feed.Read(bill, options) {
		if err != nil || line.Fault != nil {
			log.Fatal(err, line.Fault)
		}
		fmt.Printf("%s\n", billing.AppendRecord(nil, &line.Record))
	}
	// Output: {"source":"partner","id":"7","account":"A-1001","service":"call","quantity":"10","occurred_at":"2026-03-02T07:00:00Z"}
}
