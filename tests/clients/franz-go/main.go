// Command franz-go drives franz-go (kgo, kadm) for the client suite.
package main

import (
	"context"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"

	"clients/go/harness"
)

func main() { harness.Run(open) }

type driver struct {
	bootstrap string
	admin     *kadm.Client
}

func open(bootstrap string) (harness.Driver, error) {
	client, err := kgo.NewClient(kgo.SeedBrokers(bootstrap), kgo.MetadataMinAge(50*time.Millisecond))
	if err != nil {
		return nil, err
	}
	return &driver{bootstrap, kadm.NewClient(client)}, nil
}

func (d *driver) CreateTopic(topic string, partitions int32, configs map[string]string) error {
	values := map[string]*string{}
	for key, value := range configs {
		values[key] = &value
	}
	_, err := d.admin.CreateTopic(context.Background(), partitions, -1, values, topic)
	return err
}

func (d *driver) PartitionCount(topic string) (int, error) {
	topics, err := d.admin.ListTopics(context.Background(), topic)
	if err != nil {
		return 0, err
	}
	if topics[topic].Err == kerr.UnknownTopicOrPartition {
		return 0, nil
	}
	return len(topics[topic].Partitions), topics[topic].Err
}

func (d *driver) AddPartitions(topic string, total int32) error {
	answers, err := d.admin.UpdatePartitions(context.Background(), int(total), topic)
	if err != nil {
		return err
	}
	return answers.Error()
}

func (d *driver) DeleteTopic(topic string) error {
	_, err := d.admin.DeleteTopic(context.Background(), topic)
	return err
}

func (d *driver) Configs(topic string) (map[string]string, error) {
	answers, err := d.admin.DescribeTopicConfigs(context.Background(), topic)
	if err != nil {
		return nil, err
	}
	configs := map[string]string{}
	for _, config := range answers[0].Configs {
		configs[config.Key] = config.MaybeValue()
	}
	return configs, answers[0].Err
}

func (d *driver) SetConfigs(topic string, configs map[string]string) error {
	var changes []kadm.AlterConfig
	for key, value := range configs {
		changes = append(changes, kadm.AlterConfig{Op: kadm.SetConfig, Name: key, Value: &value})
	}
	answers, err := d.admin.AlterTopicConfigs(context.Background(), changes, topic)
	if err != nil {
		return err
	}
	return answers[0].Err
}

func (d *driver) Produce(topic string, records []harness.Record, options harness.ProduceOptions) error {
	codec := map[string]kgo.CompressionCodec{
		"": kgo.NoCompression(), "none": kgo.NoCompression(), "gzip": kgo.GzipCompression(),
		"snappy": kgo.SnappyCompression(), "lz4": kgo.Lz4Compression(), "zstd": kgo.ZstdCompression(),
	}[options.Codec]
	settings := []kgo.Opt{
		kgo.SeedBrokers(d.bootstrap), kgo.ProducerBatchCompression(codec), kgo.ProducerLinger(20 * time.Millisecond),
	}
	if !options.Idempotent {
		settings = append(settings, kgo.DisableIdempotentWrite())
	}
	client, err := kgo.NewClient(settings...)
	if err != nil {
		return err
	}
	defer client.Close()
	var batch []*kgo.Record
	for _, record := range records {
		var headers []kgo.RecordHeader
		for _, header := range record.Headers {
			headers = append(headers, kgo.RecordHeader{Key: header.Name, Value: header.Value})
		}
		batch = append(batch, &kgo.Record{
			Topic: topic, Key: record.Key, Value: record.Value, Headers: headers,
			Timestamp: time.UnixMilli(record.Timestamp),
		})
	}
	return client.ProduceSync(context.Background(), batch...).FirstErr()
}

func (d *driver) Consume(topic string, count int, partitions int32) ([]harness.Record, error) {
	start := map[int32]kgo.Offset{}
	for partition := range partitions {
		start[partition] = kgo.NewOffset().AtStart()
	}
	client, err := kgo.NewClient(
		kgo.SeedBrokers(d.bootstrap), kgo.ConsumePartitions(map[string]map[int32]kgo.Offset{topic: start}),
	)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	return read(client, count)
}

func (d *driver) OffsetForTime(topic string, timestamp int64) (int64, error) {
	offsets, err := d.admin.ListOffsetsAfterMilli(context.Background(), timestamp, topic)
	if err != nil {
		return 0, err
	}
	found, _ := offsets.Lookup(topic, 0)
	if found.Timestamp < 0 {
		return -1, found.Err // kadm gives the end of the log where there is no such record
	}
	return found.Offset, found.Err
}

func (d *driver) group(group, topic string, options ...kgo.Opt) (*kgo.Client, error) {
	return kgo.NewClient(append(options,
		kgo.SeedBrokers(d.bootstrap), kgo.ConsumerGroup(group), kgo.ConsumeTopics(topic),
		kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()), kgo.DisableAutoCommit(),
		kgo.SessionTimeout(10*time.Second), kgo.HeartbeatInterval(500*time.Millisecond),
		kgo.Balancers(kgo.RangeBalancer()),
	)...)
}

func (d *driver) ReadAndCommit(group, topic string, count int) ([]harness.Record, error) {
	client, err := d.group(group, topic)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	records, err := read(client, count)
	if err != nil {
		return nil, err
	}
	last := records[len(records)-1]
	return records, client.CommitRecords(context.Background(), &kgo.Record{
		Topic: topic, Partition: last.Partition, Offset: last.Offset, LeaderEpoch: -1,
	})
}

type member struct {
	harness.Assignment
	client *kgo.Client
	stop   context.CancelFunc
}

func (d *driver) Member(group, topic, instance string) (harness.Member, error) {
	m := &member{}
	options := []kgo.Opt{
		kgo.OnPartitionsAssigned(func(_ context.Context, _ *kgo.Client, assigned map[string][]int32) {
			m.Set(assigned[topic])
		}),
		kgo.OnPartitionsRevoked(func(context.Context, *kgo.Client, map[string][]int32) {}),
	}
	if instance != "" {
		options = append(options, kgo.InstanceID(instance))
	}
	client, err := d.group(group, topic, options...)
	if err != nil {
		return nil, err
	}
	var polling context.Context
	polling, m.stop = context.WithCancel(context.Background())
	m.client = client
	go func() {
		for polling.Err() == nil {
			client.PollFetches(polling)
		}
	}()
	return m, nil
}

func (m *member) Close() error {
	m.stop()
	m.client.Close()
	return nil
}

func read(client *kgo.Client, count int) ([]harness.Record, error) {
	deadline, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var records []harness.Record
	for len(records) < count {
		fetches := client.PollFetches(deadline)
		if err := fetches.Err(); err != nil {
			return nil, err
		}
		fetches.EachRecord(func(r *kgo.Record) {
			record := harness.Record{
				Key: r.Key, Value: r.Value, Timestamp: r.Timestamp.UnixMilli(), Partition: r.Partition, Offset: r.Offset,
			}
			for _, header := range r.Headers {
				record.Headers = append(record.Headers, harness.Header{Name: header.Key, Value: header.Value})
			}
			records = append(records, record)
		})
	}
	return records[:count], nil
}
