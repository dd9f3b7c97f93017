"""kafka-python."""

from kafka import ConsumerRebalanceListener, KafkaAdminClient, KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import ConfigResource, ConfigResourceType
from kafka.structs import OffsetAndMetadata

from harness import Driver, Member, Record, run


class KafkaPython(Driver):
    def __init__(self, bootstrap, workdir):
        super().__init__(bootstrap, workdir)
        self.admin = KafkaAdminClient(bootstrap_servers=bootstrap)

    def create_topic(self, topic, partitions=1, configs=None):
        new = {topic: {"num_partitions": partitions, "configs": configs or {}}}
        self.admin.create_topics(new, wait_for_metadata=True)

    def partition_count(self, topic):
        if topic not in self.admin.list_topics():
            return None
        return len(self.admin.describe_topics([topic])[0]["partitions"])

    def add_partitions(self, topic, total):
        self.admin.create_partitions({topic: total})

    def delete_topic(self, topic):
        self.admin.delete_topics([topic])

    def get_configs(self, topic):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        found = self.admin.describe_configs([resource], config_filter="all")
        (topics,) = found.values()
        return {key: entry["value"] for key, entry in topics[topic].items()}

    def set_configs(self, topic, configs):
        self.admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, topic, configs)])

    def produce(self, topic, records, codec="none", idempotent=False):
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap,
            compression_type=None if codec == "none" else codec,
            enable_idempotence=idempotent,
            linger_ms=20,
        )
        sent = [
            producer.send(topic, r.value, r.key, headers=r.headers, timestamp_ms=r.timestamp) for r in records
        ]
        producer.flush(30)
        for future in sent:
            future.get(30)
        producer.close()

    def consumer(self, group=None, **options):
        return KafkaConsumer(
            bootstrap_servers=self.bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=10000,
            heartbeat_interval_ms=500,
            **options,
        )

    def consume(self, topic, count, partitions=1):
        consumer = self.consumer()
        consumer.assign([TopicPartition(topic, p) for p in range(partitions)])
        consumer.seek_to_beginning()
        records = read(consumer, count)
        consumer.close()
        return records

    def offset_for_time(self, topic, timestamp):
        consumer = self.consumer()
        partition = TopicPartition(topic, 0)
        found = consumer.offsets_for_times({partition: timestamp})[partition]
        consumer.close()
        return found.offset if found else None

    def read_and_commit(self, group, topic, count):
        consumer = self.consumer(group, max_poll_records=1)
        consumer.subscribe([topic])
        records = read(consumer, count)
        partition = TopicPartition(topic, 0)
        consumer.commit({partition: OffsetAndMetadata(records[-1].offset + 1, "", -1)})
        consumer.close()
        return records

    def member(self, group, topic, instance=None):
        options = {"group_instance_id": instance} if instance else {}
        return KafkaPythonMember(self.consumer(group, **options), topic)


class KafkaPythonMember(Member, ConsumerRebalanceListener):
    def __init__(self, consumer, topic):
        self.consumer, self.topic = consumer, topic
        super().__init__()

    def on_partitions_assigned(self, assigned):
        self.assigned(p.partition for p in self.consumer.assignment())

    def on_partitions_revoked(self, revoked):
        pass

    def poll_until(self, closing):
        self.consumer.subscribe([self.topic], listener=self)
        while not closing.is_set():
            self.consumer.poll(100)
        self.consumer.close()


def read(consumer, count):
    records = []
    while len(records) < count:
        batches = consumer.poll(30000)
        assert batches, f"{len(records)} of {count} records"
        for messages in batches.values():
            for m in messages:
                records.append(Record(m.key, m.value, m.headers, m.timestamp, m.partition, m.offset))
    return records[:count]


run(KafkaPython)
