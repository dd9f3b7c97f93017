"""confluent-kafka (librdkafka)."""

from confluent_kafka import Consumer, KafkaException, Producer, TopicPartition
from confluent_kafka.admin import AdminClient, AlterConfigOpType, ConfigEntry, ConfigResource
from confluent_kafka.admin import NewPartitions, NewTopic

from harness import Driver, Member, Record, run


class Confluent(Driver):
    def __init__(self, bootstrap, workdir):
        super().__init__(bootstrap, workdir)
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def create_topic(self, topic, partitions=1, configs=None):
        new = NewTopic(topic, num_partitions=partitions, replication_factor=-1, config=configs or {})
        self.admin.create_topics([new])[topic].result(30)

    def partition_count(self, topic):
        found = self.admin.list_topics(timeout=30).topics.get(topic)
        return len(found.partitions) if found else None

    def add_partitions(self, topic, total):
        self.admin.create_partitions([NewPartitions(topic, total)])[topic].result(30)

    def delete_topic(self, topic):
        self.admin.delete_topics([topic])[topic].result(30)

    def get_configs(self, topic):
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic)
        entries = self.admin.describe_configs([resource])[resource].result(30)
        return {name: entry.value for name, entry in entries.items()}

    def set_configs(self, topic, configs):
        entry = lambda k, v: ConfigEntry(k, v, incremental_operation=AlterConfigOpType.SET)
        entries = [entry(k, v) for k, v in configs.items()]
        resource = ConfigResource(ConfigResource.Type.TOPIC, topic, incremental_configs=entries)
        self.admin.incremental_alter_configs([resource])[resource].result(30)

    def produce(self, topic, records, codec="none", idempotent=False):
        producer = Producer({
            "bootstrap.servers": self.bootstrap,
            "compression.type": codec,
            "enable.idempotence": idempotent,
            "linger.ms": 20,
        })
        errors = []
        failed = lambda error, _: errors.append(error) if error else None
        for r in records:
            producer.produce(
                topic, r.value, r.key, headers=r.headers, timestamp=r.timestamp, on_delivery=failed
            )
        assert producer.flush(30) == 0, "records were not delivered"
        assert not errors, errors

    def consumer(self, group, **options):
        return Consumer({
            "bootstrap.servers": self.bootstrap,
            "group.id": group,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "session.timeout.ms": 10000,
            "heartbeat.interval.ms": 500,
            **options,
        })

    def consume(self, topic, count, partitions=1):
        consumer = self.consumer("unused")
        consumer.assign([TopicPartition(topic, p, 0) for p in range(partitions)])
        records = read(consumer, count)
        consumer.close()
        return records

    def offset_for_time(self, topic, timestamp):
        consumer = self.consumer("unused")
        found = consumer.offsets_for_times([TopicPartition(topic, 0, timestamp)], 30)[0].offset
        consumer.close()
        return found if found >= 0 else None

    def read_and_commit(self, group, topic, count):
        consumer = self.consumer(group)
        consumer.subscribe([topic])
        records = read(consumer, count)
        consumer.commit(offsets=[TopicPartition(topic, 0, records[-1].offset + 1)], asynchronous=False)
        consumer.close()
        return records

    def member(self, group, topic, instance=None):
        options = {"group.instance.id": instance} if instance else {}
        return ConfluentMember(self.consumer(group, **options), topic)


class ConfluentMember(Member):
    def __init__(self, consumer, topic):
        self.consumer, self.topic = consumer, topic
        super().__init__()

    def poll_until(self, closing):
        assigned = lambda _, partitions: self.assigned(p.partition for p in partitions)
        self.consumer.subscribe([self.topic], on_assign=assigned)
        while not closing.is_set():
            message = self.consumer.poll(0.1)
            if message is not None and message.error():
                raise KafkaException(message.error())
        self.consumer.close()


def read(consumer, count):
    records = []
    while len(records) < count:
        message = consumer.poll(30)
        assert message is not None, f"{len(records)} of {count} records"
        if message.error():
            raise KafkaException(message.error())
        records.append(Record(
            message.key(), message.value(), message.headers() or [], message.timestamp()[1],
            message.partition(), message.offset(),
        ))
    return records


run(Confluent)
