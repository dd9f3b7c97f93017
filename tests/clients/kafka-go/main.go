// Command kafka-go drives segmentio/kafka-go for the client suite.
package main

import (
	"context"
	"errors"
	"time"

	"github.com/segmentio/kafka-go"

	"clients/go/harness"
)

func main() { harness.Run(open) }

type driver struct {
	bootstrap string
	client    *kafka.Client
}

func open(bootstrap string) (harness.Driver, error) {
	return &driver{bootstrap, &kafka.Client{Addr: kafka.TCP(bootstrap), Timeout: 30 * time.Second}}, nil
}

func (d *driver) CreateTopic(topic string, partitions int32, configs map[string]string) error {
	new := kafka.TopicConfig{Topic: topic, NumPartitions: int(partitions), ReplicationFactor: -1}
	for key, value := range configs {
		new.ConfigEntries = append(new.ConfigEntries, kafka.ConfigEntry{ConfigName: key, ConfigValue: value})
	}
	answer, err := d.client.CreateTopics(context.Background(), &kafka.CreateTopicsRequest{
		Topics: []kafka.TopicConfig{new},
	})
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func (d *driver) PartitionCount(topic string) (int, error) {
	// Asked about one topic, this client would have it created again after its deletion.
	answer, err := d.client.Metadata(context.Background(), &kafka.MetadataRequest{})
	if err != nil {
		return 0, err
	}
	for _, found := range answer.Topics {
		if found.Name == topic {
			return len(found.Partitions), found.Error
		}
	}
	return 0, nil
}

func (d *driver) AddPartitions(topic string, total int32) error {
	answer, err := d.client.CreatePartitions(context.Background(), &kafka.CreatePartitionsRequest{
		Topics: []kafka.TopicPartitionsConfig{{Name: topic, Count: total}},
	})
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func (d *driver) DeleteTopic(topic string) error {
	answer, err := d.client.DeleteTopics(context.Background(), &kafka.DeleteTopicsRequest{Topics: []string{topic}})
	if err != nil {
		return err
	}
	return answer.Errors[topic]
}

func (d *driver) Configs(topic string) (map[string]string, error) {
	answer, err := d.client.DescribeConfigs(context.Background(), &kafka.DescribeConfigsRequest{
		Resources: []kafka.DescribeConfigRequestResource{{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}},
	})
	if err != nil {
		return nil, err
	}
	configs := map[string]string{}
	for _, entry := range answer.Resources[0].ConfigEntries {
		configs[entry.ConfigName] = entry.ConfigValue
	}
	return configs, answer.Resources[0].Error
}

func (d *driver) SetConfigs(topic string, configs map[string]string) error {
	resource := kafka.IncrementalAlterConfigsRequestResource{ResourceType: kafka.ResourceTypeTopic, ResourceName: topic}
	for key, value := range configs {
		resource.Configs = append(resource.Configs, kafka.IncrementalAlterConfigsRequestConfig{
			Name: key, Value: value, ConfigOperation: kafka.ConfigOperationSet,
		})
	}
	answer, err := d.client.IncrementalAlterConfigs(context.Background(), &kafka.IncrementalAlterConfigsRequest{
		Resources: []kafka.IncrementalAlterConfigsRequestResource{resource},
	})
	if err != nil {
		return err
	}
	return answer.Resources[0].Error
}

func (d *driver) Produce(topic string, records []harness.Record, options harness.ProduceOptions) error {
	writer := &kafka.Writer{
		Addr: kafka.TCP(d.bootstrap), Topic: topic, Balancer: &kafka.Murmur2Balancer{},
		RequiredAcks: kafka.RequireAll, BatchTimeout: 20 * time.Millisecond, BatchSize: 1000,
		Compression: map[string]kafka.Compression{
			"gzip": kafka.Gzip, "snappy": kafka.Snappy, "lz4": kafka.Lz4, "zstd": kafka.Zstd,
		}[options.Codec],
	}
	var messages []kafka.Message
	for _, record := range records {
		message := kafka.Message{Key: record.Key, Value: record.Value, Time: time.UnixMilli(record.Timestamp)}
		for _, header := range record.Headers {
			message.Headers = append(message.Headers, kafka.Header{Key: header.Name, Value: header.Value})
		}
		messages = append(messages, message)
	}
	return errors.Join(writer.WriteMessages(context.Background(), messages...), writer.Close())
}

func (d *driver) Consume(topic string, count int, partitions int32) ([]harness.Record, error) {
	// A reader has one partition: read each up to its end.
	var records []harness.Record
	for partition := range partitions {
		want := count
		if partitions > 1 {
			end, err := d.listOffset(topic, int(partition), kafka.LastOffsetOf(int(partition)))
			if err != nil {
				return nil, err
			}
			want = int(end)
		}
		reader := kafka.NewReader(kafka.ReaderConfig{
			Brokers: []string{d.bootstrap}, Topic: topic, Partition: int(partition), MaxWait: 500 * time.Millisecond,
		})
		found, err := read(reader, want)
		if err = errors.Join(err, reader.Close()); err != nil {
			return nil, err
		}
		records = append(records, found...)
	}
	return records, nil
}

func (d *driver) listOffset(topic string, partition int, request kafka.OffsetRequest) (int64, error) {
	answer, err := d.client.ListOffsets(context.Background(), &kafka.ListOffsetsRequest{
		Topics: map[string][]kafka.OffsetRequest{topic: {request}},
	})
	if err != nil {
		return 0, err
	}
	found := answer.Topics[topic][0]
	if request.Timestamp == kafka.LastOffset {
		return found.LastOffset, found.Error
	}
	for offset := range found.Offsets {
		return offset, found.Error
	}
	return -1, found.Error
}

func (d *driver) OffsetForTime(topic string, timestamp int64) (int64, error) {
	return d.listOffset(topic, 0, kafka.TimeOffsetOf(0, time.UnixMilli(timestamp)))
}

func (d *driver) ReadAndCommit(group, topic string, count int) ([]harness.Record, error) {
	reader := kafka.NewReader(kafka.ReaderConfig{
		Brokers: []string{d.bootstrap}, Topic: topic, GroupID: group, StartOffset: kafka.FirstOffset,
		HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second, MaxWait: 500 * time.Millisecond,
	})
	records, err := read(reader, count)
	if err == nil {
		last := records[len(records)-1]
		end := kafka.Message{Topic: topic, Partition: int(last.Partition), Offset: last.Offset}
		err = reader.CommitMessages(context.Background(), end)
	}
	return records, errors.Join(err, reader.Close())
}

type member struct {
	harness.Assignment
	group *kafka.ConsumerGroup
	stop  context.CancelFunc
	done  chan struct{}
}

func (d *driver) Member(group, topic, _ string) (harness.Member, error) {
	joined, err := kafka.NewConsumerGroup(kafka.ConsumerGroupConfig{
		ID: group, Brokers: []string{d.bootstrap}, Topics: []string{topic}, StartOffset: kafka.FirstOffset,
		HeartbeatInterval: 500 * time.Millisecond, SessionTimeout: 10 * time.Second,
	})
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	m := &member{group: joined, stop: stop, done: make(chan struct{})}
	go func() {
		defer close(m.done)
		for running.Err() == nil {
			generation, err := joined.Next(running)
			if err != nil {
				continue
			}
			var partitions []int32
			for _, assigned := range generation.Assignments[topic] {
				partitions = append(partitions, int32(assigned.ID))
			}
			m.Set(partitions)
		}
	}()
	return m, nil
}

func (m *member) Close() error {
	m.stop()
	<-m.done
	return m.group.Close()
}

func read(reader *kafka.Reader, count int) ([]harness.Record, error) {
	deadline, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	var records []harness.Record
	for len(records) < count {
		m, err := reader.FetchMessage(deadline)
		if err != nil {
			return nil, err
		}
		record := harness.Record{
			Key: m.Key, Value: m.Value, Timestamp: m.Time.UnixMilli(), Partition: int32(m.Partition), Offset: m.Offset,
		}
		for _, header := range m.Headers {
			record.Headers = append(record.Headers, harness.Header{Name: header.Key, Value: header.Value})
		}
		records = append(records, record)
	}
	return records, nil
}
