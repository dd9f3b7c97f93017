"""aiokafka, driven from the harness's threads through one event loop."""

import asyncio
import threading

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRebalanceListener, TopicPartition
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import OffsetAndMetadata

from harness import Driver, Member, Record, run

LOOP = asyncio.new_event_loop()
threading.Thread(target=LOOP.run_forever, daemon=True).start()


def wait(coroutine):
    return asyncio.run_coroutine_threadsafe(coroutine, LOOP).result(60)


class AioKafka(Driver):
    def with_admin(self, action):
        async def call():
            admin = AIOKafkaAdminClient(bootstrap_servers=self.bootstrap)
            await admin.start()
            try:
                return await action(admin)
            finally:
                await admin.close()

        return wait(call())

    def create_topic(self, topic, partitions=1, configs=None):
        new = NewTopic(topic, partitions, 1, topic_configs=configs or {})
        for name, code, *message in self.with_admin(lambda a: a.create_topics([new])).topic_errors:
            assert code == 0, f"{name}: error {code} {message}"

    def partition_count(self, topic):
        if topic not in self.with_admin(lambda a: a.list_topics()):
            return None
        return len(self.with_admin(lambda a: a.describe_topics([topic]))[0]["partitions"])

    def add_partitions(self, topic, total):
        self.with_admin(lambda a: a.create_partitions({topic: NewPartitions(total)}))

    def delete_topic(self, topic):
        self.with_admin(lambda a: a.delete_topics([topic]))

    def get_configs(self, topic):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic)
        (answer,) = self.with_admin(lambda a: a.describe_configs([resource]))
        code, message, _, _, entries = answer.resources[0]
        assert code == 0, f"error {code} {message}"
        return {entry[0]: entry[1] for entry in entries}

    def set_configs(self, topic, configs):
        resource = ConfigResource(ConfigResourceType.TOPIC, topic, configs)
        (answer,) = self.with_admin(lambda a: a.alter_configs([resource]))
        code, message, *_ = answer.resources[0]
        assert code == 0, f"error {code} {message}"

    def produce(self, topic, records, codec="none", idempotent=False):
        async def call():
            async with AIOKafkaProducer(
                bootstrap_servers=self.bootstrap,
                compression_type=None if codec == "none" else codec,
                enable_idempotence=idempotent,
                linger_ms=20,
            ) as producer:
                sent = [
                    await producer.send(topic, r.value, r.key, timestamp_ms=r.timestamp, headers=r.headers)
                    for r in records
                ]
                await asyncio.gather(*sent)

        wait(call())

    def consumer(self, *topics, group=None, **options):
        return AIOKafkaConsumer(
            *topics,
            bootstrap_servers=self.bootstrap,
            group_id=group,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            session_timeout_ms=10000,
            heartbeat_interval_ms=500,
            **options,
        )

    def consume(self, topic, count, partitions=1):
        async def call():
            async with self.consumer() as consumer:
                consumer.assign([TopicPartition(topic, p) for p in range(partitions)])
                await consumer.seek_to_beginning()
                return await read(consumer, count)

        return wait(call())

    def offset_for_time(self, topic, timestamp):
        async def call():
            async with self.consumer() as consumer:
                partition = TopicPartition(topic, 0)
                found = (await consumer.offsets_for_times({partition: timestamp}))[partition]
                return found.offset if found else None

        return wait(call())

    def read_and_commit(self, group, topic, count):
        async def call():
            async with self.consumer(topic, group=group) as consumer:
                records = await read(consumer, count)
                end = OffsetAndMetadata(records[-1].offset + 1, "")
                await consumer.commit({TopicPartition(topic, 0): end})
                return records

        return wait(call())

    def member(self, group, topic, instance=None):
        return AioMember(self, group, topic, instance)


class AioMember(Member):
    def __init__(self, driver, group, topic, instance):
        self.driver, self.group, self.topic, self.instance = driver, group, topic, instance
        super().__init__()

    def poll_until(self, closing):
        member = self

        class Listener(ConsumerRebalanceListener):
            def on_partitions_revoked(self, revoked):
                pass

            def on_partitions_assigned(self, assigned):
                member.assigned(p.partition for p in assigned)

        async def call():
            options = {"group_instance_id": self.instance} if self.instance else {}
            consumer = self.driver.consumer(group=self.group, **options)
            consumer.subscribe([self.topic], listener=Listener())
            await consumer.start()
            while not closing.is_set():
                await consumer.getmany(timeout_ms=100)
            await consumer.stop()

        asyncio.run_coroutine_threadsafe(call(), LOOP).result()


async def read(consumer, count):
    records = []
    while len(records) < count:
        m = await asyncio.wait_for(consumer.getone(), 30)
        records.append(Record(m.key, m.value, list(m.headers), m.timestamp, m.partition, m.offset))
    return records


run(AioKafka)
