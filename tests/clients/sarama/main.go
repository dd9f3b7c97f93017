// Command sarama drives IBM/sarama for the client suite.
package main

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/IBM/sarama"

	"clients/go/harness"
)

func main() { harness.Run(open) }

type driver struct {
	bootstrap []string
	client    sarama.Client
	admin     sarama.ClusterAdmin
}

func config() *sarama.Config {
	config := sarama.NewConfig()
	config.Version = sarama.V3_6_0_0
	config.Consumer.Offsets.Initial = sarama.OffsetOldest
	config.Consumer.Offsets.AutoCommit.Enable = false
	config.Consumer.Group.Session.Timeout = 10 * time.Second
	config.Consumer.Group.Heartbeat.Interval = 500 * time.Millisecond
	config.Producer.Return.Successes = true
	config.Producer.Flush.Frequency = 20 * time.Millisecond
	return config
}

func open(bootstrap string) (harness.Driver, error) {
	client, err := sarama.NewClient([]string{bootstrap}, config())
	if err != nil {
		return nil, err
	}
	admin, err := sarama.NewClusterAdminFromClient(client)
	return &driver{[]string{bootstrap}, client, admin}, err
}

func pointers(values map[string]string) map[string]*string {
	out := map[string]*string{}
	for key, value := range values {
		out[key] = &value
	}
	return out
}

func (d *driver) CreateTopic(topic string, partitions int32, configs map[string]string) error {
	detail := &sarama.TopicDetail{NumPartitions: partitions, ReplicationFactor: -1, ConfigEntries: pointers(configs)}
	return d.admin.CreateTopic(topic, detail, false)
}

func (d *driver) PartitionCount(topic string) (int, error) {
	topics, err := d.admin.DescribeTopics([]string{topic})
	if err != nil {
		return 0, err
	}
	if topics[0].Err == sarama.ErrUnknownTopicOrPartition {
		return 0, nil
	}
	return len(topics[0].Partitions), nil
}

func (d *driver) AddPartitions(topic string, total int32) error {
	return d.admin.CreatePartitions(topic, total, nil, false)
}

func (d *driver) DeleteTopic(topic string) error { return d.admin.DeleteTopic(topic) }

func (d *driver) Configs(topic string) (map[string]string, error) {
	entries, err := d.admin.DescribeConfig(sarama.ConfigResource{Type: sarama.TopicResource, Name: topic})
	configs := map[string]string{}
	for _, entry := range entries {
		configs[entry.Name] = entry.Value
	}
	return configs, err
}

func (d *driver) SetConfigs(topic string, configs map[string]string) error {
	changes := map[string]sarama.IncrementalAlterConfigsEntry{}
	for key, value := range pointers(configs) {
		changes[key] = sarama.IncrementalAlterConfigsEntry{
			Operation: sarama.IncrementalAlterConfigsOperationSet, Value: value,
		}
	}
	return d.admin.IncrementalAlterConfig(sarama.TopicResource, topic, changes, false)
}

func (d *driver) Produce(topic string, records []harness.Record, options harness.ProduceOptions) error {
	config := config()
	config.Producer.Compression = map[string]sarama.CompressionCodec{
		"": sarama.CompressionNone, "none": sarama.CompressionNone, "gzip": sarama.CompressionGZIP,
		"snappy": sarama.CompressionSnappy, "lz4": sarama.CompressionLZ4, "zstd": sarama.CompressionZSTD,
	}[options.Codec]
	if options.Idempotent {
		config.Producer.Idempotent = true
		config.Producer.RequiredAcks = sarama.WaitForAll
		config.Net.MaxOpenRequests = 1
	}
	producer, err := sarama.NewSyncProducer(d.bootstrap, config)
	if err != nil {
		return err
	}
	defer producer.Close()
	var messages []*sarama.ProducerMessage
	for _, record := range records {
		message := &sarama.ProducerMessage{Topic: topic, Timestamp: time.UnixMilli(record.Timestamp)}
		if record.Key != nil {
			message.Key = sarama.ByteEncoder(record.Key)
		}
		if record.Value != nil {
			message.Value = sarama.ByteEncoder(record.Value)
		}
		for _, header := range record.Headers {
			message.Headers = append(message.Headers, sarama.RecordHeader{Key: []byte(header.Name), Value: header.Value})
		}
		messages = append(messages, message)
	}
	return producer.SendMessages(messages)
}

func (d *driver) Consume(topic string, count int, partitions int32) ([]harness.Record, error) {
	consumer, err := sarama.NewConsumer(d.bootstrap, config())
	if err != nil {
		return nil, err
	}
	defer consumer.Close()
	messages := make(chan *sarama.ConsumerMessage)
	stop := make(chan struct{})
	defer close(stop)
	for partition := range partitions {
		reader, err := consumer.ConsumePartition(topic, partition, sarama.OffsetOldest)
		if err != nil {
			return nil, err
		}
		defer reader.AsyncClose()
		go func() {
			for message := range reader.Messages() {
				select {
				case messages <- message:
				case <-stop:
					return
				}
			}
		}()
	}
	return read(messages, count)
}

func (d *driver) OffsetForTime(topic string, timestamp int64) (int64, error) {
	return d.client.GetOffset(topic, 0, timestamp)
}

func (d *driver) ReadAndCommit(group, topic string, count int) ([]harness.Record, error) {
	consumer, err := sarama.NewConsumerGroup(d.bootstrap, group, config())
	if err != nil {
		return nil, err
	}
	handler := &reading{topic: topic, count: count}
	err = consumer.Consume(context.Background(), []string{topic}, handler)
	return handler.records, errors.Join(err, handler.err, consumer.Close())
}

// reading ends its session once it has read and committed what was asked for.
type reading struct {
	topic   string
	count   int
	records []harness.Record
	err     error
}

func (r *reading) Setup(sarama.ConsumerGroupSession) error   { return nil }
func (r *reading) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (r *reading) ConsumeClaim(session sarama.ConsumerGroupSession, claim sarama.ConsumerGroupClaim) error {
	messages := make(chan *sarama.ConsumerMessage)
	go func() {
		for message := range claim.Messages() {
			select {
			case messages <- message:
			case <-session.Context().Done():
				return
			}
		}
	}()
	r.records, r.err = read(messages, r.count)
	if r.err == nil {
		session.MarkOffset(r.topic, claim.Partition(), r.records[len(r.records)-1].Offset+1, "")
		session.Commit()
	}
	return r.err
}

type member struct {
	harness.Assignment
	topic    string
	consumer sarama.ConsumerGroup
	stop     context.CancelFunc
	done     chan error
}

func (d *driver) Member(group, topic, instance string) (harness.Member, error) {
	config := config()
	config.Consumer.Group.InstanceId = instance
	consumer, err := sarama.NewConsumerGroup(d.bootstrap, group, config)
	if err != nil {
		return nil, err
	}
	running, stop := context.WithCancel(context.Background())
	m := &member{topic: topic, consumer: consumer, stop: stop, done: make(chan error, 1)}
	go func() {
		var err error
		for running.Err() == nil && err == nil {
			err = consumer.Consume(running, []string{topic}, m)
		}
		m.done <- err
	}()
	return m, nil
}

func (m *member) Setup(session sarama.ConsumerGroupSession) error {
	m.Set(session.Claims()[m.topic])
	return nil
}

func (m *member) Cleanup(sarama.ConsumerGroupSession) error { return nil }

func (m *member) ConsumeClaim(session sarama.ConsumerGroupSession, _ sarama.ConsumerGroupClaim) error {
	<-session.Context().Done()
	return nil
}

func (m *member) Close() error {
	m.stop()
	return errors.Join(<-m.done, m.consumer.Close())
}

func read(messages <-chan *sarama.ConsumerMessage, count int) ([]harness.Record, error) {
	var records []harness.Record
	for len(records) < count {
		select {
		case m := <-messages:
			record := harness.Record{
				Key: m.Key, Value: m.Value, Timestamp: m.Timestamp.UnixMilli(), Partition: m.Partition, Offset: m.Offset,
			}
			for _, header := range m.Headers {
				record.Headers = append(record.Headers, harness.Header{Name: string(header.Key), Value: header.Value})
			}
			records = append(records, record)
		case <-time.After(30 * time.Second):
			return nil, fmt.Errorf("%d of %d records", len(records), count)
		}
	}
	return records, nil
}
