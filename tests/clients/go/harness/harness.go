// Package harness holds the scenarios of the client suite for clients written in Go. See ../../README.md for
// the protocol. A client's program implements Driver and calls Run.
package harness

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"sort"
	"strings"
	"time"
)

// Record is a record; nil is null.
type Record struct {
	Key, Value []byte
	Headers    []Header
	Timestamp  int64 // milliseconds since the epoch
	Partition  int32
	Offset     int64
}

// Header is a record's header.
type Header struct {
	Name  string
	Value []byte
}

// ProduceOptions say how to produce.
type ProduceOptions struct {
	Codec      string // none, gzip, snappy, lz4 or zstd
	Idempotent bool
}

// Driver is what a client can do. Every method blocks until done.
type Driver interface {
	CreateTopic(topic string, partitions int32, configs map[string]string) error
	// PartitionCount is 0 where there is no such topic.
	PartitionCount(topic string) (int, error)
	AddPartitions(topic string, total int32) error
	DeleteTopic(topic string) error
	Configs(topic string) (map[string]string, error)
	SetConfigs(topic string, configs map[string]string) error
	Produce(topic string, records []Record, options ProduceOptions) error
	// Consume reads the first records over all partitions, without a group.
	Consume(topic string, count int, partitions int32) ([]Record, error)
	// OffsetForTime is -1 where there is no record at or after the time.
	OffsetForTime(topic string, timestamp int64) (int64, error)
	// ReadAndCommit joins the group, reads, commits the end of what was read and leaves.
	ReadAndCommit(group, topic string, count int) ([]Record, error)
	// Member joins the group; instance is empty for dynamic members.
	Member(group, topic, instance string) (Member, error)
}

// Member is a member of a group.
type Member interface {
	// Partitions that the member has now.
	Partitions() []int32
	// Assignments counts the assignments so far.
	Assignments() int
	Close() error
}

// ContentHash is the SHA-256 over keys, values, headers and, if wanted, times, in the order given. Some clients
// cannot tell an empty header from one without a value: they count as the same.
func ContentHash(records []Record, timestamps bool) string {
	text := func(data []byte) string {
		if data == nil {
			return "-"
		}
		return hex.EncodeToString(data)
	}
	hash := sha256.New()
	for _, record := range records {
		var headers []string
		for _, header := range record.Headers {
			headers = append(headers, header.Name+"="+hex.EncodeToString(header.Value))
		}
		if timestamps {
			fmt.Fprintf(hash, "%d|", record.Timestamp)
		}
		fmt.Fprintf(hash, "%s|%s|%s\n", text(record.Key), text(record.Value), strings.Join(headers, ","))
	}
	return hex.EncodeToString(hash.Sum(nil))
}

type suite struct {
	driver          Driver
	workdir, prefix string
}

type line struct {
	Capability string `json:"capability"`
	Ok         bool   `json:"ok"`
	Hash       any    `json:"hash"`
	Detail     string `json:"detail"`
}

// Run runs the capabilities named on the command line; one line of JSON for each.
func Run(open func(bootstrap string) (Driver, error)) {
	bootstrap, workdir, prefix, capabilities := os.Args[1], os.Args[2], os.Args[3], os.Args[4:]
	driver, err := open(bootstrap)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	s := &suite{driver, workdir, prefix}
	for _, capability := range capabilities {
		out := line{Capability: capability, Ok: true}
		hash, err := s.run(capability)
		if err != nil {
			out.Ok, out.Detail = false, err.Error()
		} else if hash != "" {
			out.Hash = hash
		}
		_ = json.NewEncoder(os.Stdout).Encode(out)
	}
}

func (s *suite) run(capability string) (hash any, err error) {
	defer func() {
		if failure := recover(); failure != nil {
			fmt.Fprintln(os.Stderr, string(debug.Stack()))
			err = fmt.Errorf("%v", failure)
		}
	}()
	switch capability {
	case "none", "gzip", "snappy", "lz4", "zstd":
		return ContentHash(s.roundTrip(capability, "text", ProduceOptions{Codec: capability}), false), nil
	case "nulls", "headers":
		return ContentHash(s.roundTrip(capability, capability, ProduceOptions{}), false), nil
	case "timestamps":
		return ContentHash(s.roundTrip(capability, "text", ProduceOptions{}), true), nil
	case "idempotence":
		return ContentHash(s.roundTrip(capability, "text", ProduceOptions{Idempotent: true}), false), nil
	case "keys":
		return s.keys(), nil
	case "lookup":
		s.lookup()
	case "group":
		s.group()
	case "commit":
		return s.commit(), nil
	case "static":
		s.static()
	case "topics":
		s.topics()
	case "configs":
		s.configs()
	case "cross":
		return s.cross(), nil
	default:
		return nil, fmt.Errorf("unknown capability %s", capability)
	}
	return "", nil
}

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func assert(holds bool, format string, arguments ...any) {
	if !holds {
		panic(fmt.Sprintf(format, arguments...))
	}
}

// waitUntil waits for something that the broker needs a moment for.
func waitUntil(what string, condition func() bool) {
	deadline := time.Now().Add(40 * time.Second)
	for !condition() {
		assert(time.Now().Before(deadline), "not within 40 s: %s", what)
		time.Sleep(50 * time.Millisecond)
	}
}

func (s *suite) data(name string) []Record {
	var records []Record
	for _, text := range strings.Split(string(must(os.ReadFile(filepath.Join(s.workdir, name+".jsonl")))), "\n") {
		if text == "" {
			continue
		}
		var row struct {
			Key, Value *[]byte
			Headers    [][2]any
			Timestamp  int64
		}
		check(json.Unmarshal([]byte(text), &row))
		record := Record{Timestamp: row.Timestamp}
		if row.Key != nil {
			record.Key = *row.Key
		}
		if row.Value != nil {
			record.Value = *row.Value
		}
		for _, pair := range row.Headers {
			var value []byte
			check(json.Unmarshal(must(json.Marshal(pair[1])), &value))
			record.Headers = append(record.Headers, Header{pair[0].(string), value})
		}
		records = append(records, record)
	}
	return records
}

func (s *suite) topic(capability string, partitions int32, configs map[string]string) string {
	topic := s.prefix + "." + capability
	check(s.driver.CreateTopic(topic, partitions, configs))
	return topic
}

func (s *suite) roundTrip(capability, data string, options ProduceOptions) []Record {
	topic, records := s.topic(capability, 1, nil), s.data(data)
	check(s.driver.Produce(topic, records, options))
	return must(s.driver.Consume(topic, len(records), 1))
}

func (s *suite) keys() string {
	topic, records := s.topic("keys", 3, nil), s.data("keys")
	check(s.driver.Produce(topic, records, ProduceOptions{}))
	got := must(s.driver.Consume(topic, len(records), 3))
	sort.SliceStable(got, func(i, j int) bool {
		a, b := got[i], got[j]
		return a.Partition < b.Partition || a.Partition == b.Partition && a.Offset < b.Offset
	})
	places, last, used := map[string]int32{}, map[string]string{}, map[int32]bool{}
	for _, record := range got {
		if record.Key == nil {
			continue
		}
		key, value := string(record.Key), string(record.Value)
		place, seen := places[key]
		assert(!seen || place == record.Partition, "key %s is in partitions %d and %d", key, place, record.Partition)
		assert(last[key] < value, "key %s is out of order", key)
		places[key], last[key], used[record.Partition] = record.Partition, value, true
	}
	assert(len(used) > 1, "all keys are in one partition")
	sort.Slice(got, func(i, j int) bool { return string(got[i].Value) < string(got[j].Value) })
	return ContentHash(got, false)
}

func (s *suite) lookup() {
	topic, sent := s.topic("lookup", 1, nil), s.data("text")
	check(s.driver.Produce(topic, sent, ProduceOptions{}))
	records := must(s.driver.Consume(topic, len(sent), 1))
	end := records[len(records)-1].Timestamp + 1
	assert(records[3].Timestamp < records[4].Timestamp, "the records have no distinct times")
	for timestamp, want := range map[int64]int64{
		records[3].Timestamp: 3, records[3].Timestamp + 1: 4, 0: 0, end: -1,
	} {
		got := must(s.driver.OffsetForTime(topic, timestamp))
		assert(got == want, "offset %d for time %d, not %d", got, timestamp, want)
	}
}

func (s *suite) group() {
	topic, group := s.topic("group", 4, nil), s.prefix+".group"
	first := must(s.driver.Member(group, topic, ""))
	waitUntil("one member has all partitions", func() bool { return covers(first) })
	second := must(s.driver.Member(group, topic, ""))
	waitUntil("two members share the partitions", func() bool { return shared(first, second) })
	check(second.Close())
	waitUntil("the remaining member has all partitions", func() bool { return covers(first) })
	check(first.Close())
}

func (s *suite) commit() string {
	topic, group, records := s.topic("commit", 1, nil), s.prefix+".commit", s.data("text")
	half := len(records) / 2
	check(s.driver.Produce(topic, records, ProduceOptions{}))
	before := must(s.driver.ReadAndCommit(group, topic, half))
	assert(ContentHash(before, false) == ContentHash(records[:half], false), "the first half differs")
	return ContentHash(must(s.driver.ReadAndCommit(group, topic, len(records)-half)), false)
}

func (s *suite) static() {
	topic, group := s.topic("static", 4, nil), s.prefix+".static"
	first := must(s.driver.Member(group, topic, "one"))
	second := must(s.driver.Member(group, topic, "two"))
	waitUntil("two members share the partitions", func() bool { return shared(first, second) })
	before, seen := fmt.Sprint(first.Partitions()), second.Assignments()
	check(first.Close())
	returned := must(s.driver.Member(group, topic, "one"))
	waitUntil("the member is back", func() bool { return fmt.Sprint(returned.Partitions()) == before })
	time.Sleep(time.Second) // a rebalance would reach the other member with its next heartbeat
	assert(second.Assignments() == seen, "the return of a static member led to a rebalance")
	check(returned.Close())
	check(second.Close())
}

func (s *suite) topics() {
	topic := s.topic("topics", 2, nil)
	has := func(want int) func() bool {
		return func() bool { return must(s.driver.PartitionCount(topic)) == want }
	}
	waitUntil("the topic has 2 partitions", has(2))
	check(s.driver.AddPartitions(topic, 5))
	waitUntil("the topic has 5 partitions", has(5))
	check(s.driver.DeleteTopic(topic))
	waitUntil("the topic is gone", has(0))
}

func (s *suite) configs() {
	topic := s.topic("configs", 1, map[string]string{"retention.ms": "3600000", "cleanup.policy": "compact"})
	expect := func(want map[string]string) func() bool {
		return func() bool {
			configs, err := s.driver.Configs(topic)
			if err != nil { // the broker that is asked may not have heard of the topic yet
				return false
			}
			for key, value := range want {
				if configs[key] != value {
					return false
				}
			}
			return true
		}
	}
	waitUntil("the settings are as created", expect(map[string]string{
		"retention.ms": "3600000", "cleanup.policy": "compact", "segment.bytes": "1073741824",
	}))
	change := map[string]string{"retention.ms": "7200000", "max.message.bytes": "2000000"}
	check(s.driver.SetConfigs(topic, change))
	waitUntil("the settings are changed", expect(change))
}

func (s *suite) cross() map[string]string {
	var rows []struct {
		Topic string
		Count int
	}
	check(json.Unmarshal(must(os.ReadFile(filepath.Join(s.workdir, s.prefix+".cross.json"))), &rows))
	hashes := map[string]string{}
	for _, row := range rows {
		hashes[row.Topic] = ContentHash(must(s.driver.Consume(row.Topic, row.Count, 1)), false)
	}
	return hashes
}

func covers(members ...Member) bool {
	var all []int32
	for _, member := range members {
		all = append(all, member.Partitions()...)
	}
	sort.Slice(all, func(i, j int) bool { return all[i] < all[j] })
	return fmt.Sprint(all) == "[0 1 2 3]"
}

func shared(first, second Member) bool {
	return len(first.Partitions()) == 2 && len(second.Partitions()) == 2 && covers(first, second)
}
