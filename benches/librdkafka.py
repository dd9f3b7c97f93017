"""Records per second through librdkafka: `librdkafka.py produce|consume BOOTSTRAP TOPIC RECORDS BYTES ACKS`."""

import sys
import time

from confluent_kafka import OFFSET_BEGINNING, Consumer, Producer, TopicPartition

PARTITIONS = 8


def produce(bootstrap, topic, records, size, acks):
    failed = []

    def delivered(error, _):
        if error is not None:
            failed.append(error)

    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "acks": acks,
            "linger.ms": 5,
            "batch.size": 131072,
            "queue.buffering.max.messages": 200_000,
            "on_delivery": delivered,
        }
    )
    value = bytes(ord("a") + (number * number) % 26 for number in range(size))
    start = time.monotonic()
    for number in range(records):
        while True:
            try:
                producer.produce(topic, value, partition=number // 100 % PARTITIONS)
                break
            except BufferError:
                producer.poll(0.01)
        if number % 1000 == 0:
            producer.poll(0)
    producer.flush()
    took = time.monotonic() - start
    if failed:
        sys.exit(f"{len(failed)} records were not delivered: {failed[0]}")
    return took


def consume(bootstrap, topic, records):
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "bench", "enable.auto.commit": False})
    consumer.assign([TopicPartition(topic, partition, OFFSET_BEGINNING) for partition in range(PARTITIONS)])
    left = records
    first = consumer.consume(1, 30)
    start = time.monotonic()
    left -= len(first)
    while left > 0:
        batch = consumer.consume(min(left, 10_000), 30)
        if not batch:
            sys.exit(f"{left} records did not come")
        for message in batch:
            if message.error():
                sys.exit(str(message.error()))
        left -= len(batch)
    took = time.monotonic() - start
    consumer.close()
    return took


def main():
    mode, bootstrap, topic, records, size, acks = sys.argv[1:]
    records, size = int(records), int(size)
    if mode == "produce":
        took = produce(bootstrap, topic, records, size, acks)
    else:
        took = consume(bootstrap, topic, records)
    print(records / took)


main()
