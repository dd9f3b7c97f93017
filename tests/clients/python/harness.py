"""The scenarios of the client suite for clients driven from Python. See ../README.md for the protocol.

A client's program implements Driver and calls run(MyDriver).
"""

import base64
import hashlib
import json
import sys
import threading
import time
import traceback
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Record:
    """A record; text is kept as bytes, None is null."""

    key: bytes | None
    value: bytes | None
    headers: list = field(default_factory=list)
    timestamp: int | None = None
    partition: int = 0
    offset: int = -1


class Driver:
    """What a client can do. Every method blocks until done and raises when it fails."""

    def __init__(self, bootstrap, workdir):
        self.bootstrap = bootstrap
        self.workdir = workdir

    def create_topic(self, topic, partitions=1, configs=None):
        raise NotImplementedError

    def partition_count(self, topic):
        """Number of partitions, or None where there is no such topic."""
        raise NotImplementedError

    def add_partitions(self, topic, total):
        raise NotImplementedError

    def delete_topic(self, topic):
        raise NotImplementedError

    def get_configs(self, topic):
        """All settings, key to text."""
        raise NotImplementedError

    def set_configs(self, topic, configs):
        raise NotImplementedError

    def produce(self, topic, records, codec="none", idempotent=False):
        raise NotImplementedError

    def consume(self, topic, count, partitions=1):
        """The first `count` records over all partitions, without a group."""
        raise NotImplementedError

    def offset_for_time(self, topic, timestamp):
        """First offset of partition 0 at or after the time, or None."""
        raise NotImplementedError

    def read_and_commit(self, group, topic, count):
        """Joins the group, reads `count` records, commits their end and leaves."""
        raise NotImplementedError

    def member(self, group, topic, instance=None):
        """Joins the group; gives a Member."""
        raise NotImplementedError


class Member:
    """A member of a group that polls on its own thread until it is closed."""

    def __init__(self):
        self.partitions = frozenset()
        self.assignments = 0
        self._closing = threading.Event()
        self._error = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def poll_until(self, closing):
        """Opens the consumer, polls until the event `closing` is set, closes the consumer."""
        raise NotImplementedError

    def assigned(self, partitions):
        """To be called with each new assignment."""
        self.partitions = frozenset(partitions)
        self.assignments += 1

    def close(self):
        self._closing.set()
        self._thread.join(30)
        if self._error:
            raise self._error

    def _run(self):
        try:
            self.poll_until(self._closing)
        except Exception as error:  # handed to close()
            self._error = error


def wait_until(what, condition, seconds=40):
    """Waits for something that the broker needs a moment for."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s: {what}")
        time.sleep(0.05)


def content_hash(records, timestamps=False):
    """SHA-256 over keys, values, headers and, if wanted, times, in the order given.

    Some clients cannot tell an empty header from one without a value: they count as the same.
    """
    text = lambda data: "-" if data is None else data.hex()
    lines = []
    for record in records:
        headers = ",".join(f"{name}={(value or b'').hex()}" for name, value in record.headers)
        time_field = f"{record.timestamp}|" if timestamps else ""
        lines.append(f"{time_field}{text(record.key)}|{text(record.value)}|{headers}\n")
    return hashlib.sha256("".join(lines).encode()).hexdigest()


class Suite:
    """The scenarios. Each method named like a capability returns a hash, or None where none is compared."""

    def __init__(self, driver, workdir, prefix):
        self.driver = driver
        self.workdir = Path(workdir)
        self.prefix = prefix

    def data(self, name):
        decode = lambda text: None if text is None else base64.b64decode(text)
        records = []
        for line in (self.workdir / f"{name}.jsonl").read_text().splitlines():
            row = json.loads(line)
            headers = [(k, decode(v)) for k, v in row["headers"]]
            records.append(Record(decode(row["key"]), decode(row["value"]), headers, row["timestamp"]))
        return records

    def topic(self, capability, partitions=1, configs=None):
        name = f"{self.prefix}.{capability}"
        self.driver.create_topic(name, partitions, configs)
        return name

    def round_trip(self, capability, data, **options):
        topic = self.topic(capability)
        records = self.data(data)
        self.driver.produce(topic, records, **options)
        return self.driver.consume(topic, len(records))

    def codec(self, codec):
        return content_hash(self.round_trip(codec, "text", codec=codec))

    def none(self):
        return self.codec("none")

    def gzip(self):
        return self.codec("gzip")

    def snappy(self):
        return self.codec("snappy")

    def lz4(self):
        return self.codec("lz4")

    def zstd(self):
        return self.codec("zstd")

    def keys(self):
        topic = self.topic("keys", 3)
        records = self.data("keys")
        self.driver.produce(topic, records)
        got = self.driver.consume(topic, len(records), 3)
        places, last = {}, {}
        for record in sorted(got, key=lambda r: (r.partition, r.offset)):
            if record.key is None:
                continue
            place = places.setdefault(record.key, record.partition)
            assert place == record.partition, f"key {record.key} is in partitions {place} and {record.partition}"
            assert last.get(record.key, b"") < record.value, f"key {record.key} is out of order"
            last[record.key] = record.value
        assert len(set(places.values())) > 1, "all keys are in one partition"
        return content_hash(sorted(got, key=lambda r: r.value))

    def nulls(self):
        return content_hash(self.round_trip("nulls", "nulls"))

    def headers(self):
        return content_hash(self.round_trip("headers", "headers"))

    def timestamps(self):
        return content_hash(self.round_trip("timestamps", "text"), timestamps=True)

    def lookup(self):
        topic = self.topic("lookup")
        self.driver.produce(topic, self.data("text"))
        records = self.driver.consume(topic, len(self.data("text")))
        third, fourth, last = records[3], records[4], records[-1]
        assert third.timestamp < fourth.timestamp, "the records have no distinct times"
        assert self.driver.offset_for_time(topic, third.timestamp) == 3
        assert self.driver.offset_for_time(topic, third.timestamp + 1) == 4
        assert self.driver.offset_for_time(topic, 0) == 0
        found = self.driver.offset_for_time(topic, last.timestamp + 1)
        assert found is None, f"offset {found} for a time after the last record"

    def group(self):
        topic = self.topic("group", 4)
        group = f"{self.prefix}.group"
        everything = frozenset(range(4))
        first = self.driver.member(group, topic)
        wait_until("one member has all partitions", lambda: first.partitions == everything)
        second = self.driver.member(group, topic)
        wait_until(
            "two members share the partitions",
            lambda: len(first.partitions) == len(second.partitions) == 2
            and first.partitions | second.partitions == everything,
        )
        second.close()
        wait_until("the remaining member has all partitions", lambda: first.partitions == everything)
        first.close()

    def commit(self):
        topic = self.topic("commit")
        group = f"{self.prefix}.commit"
        records = self.data("text")
        half = len(records) // 2
        self.driver.produce(topic, records)
        before = self.driver.read_and_commit(group, topic, half)
        assert content_hash(before) == content_hash(records[:half]), "the first half differs"
        after = self.driver.read_and_commit(group, topic, len(records) - half)
        return content_hash(after)

    def static(self):
        topic = self.topic("static", 4)
        group = f"{self.prefix}.static"
        first = self.driver.member(group, topic, "one")
        second = self.driver.member(group, topic, "two")
        shared = lambda: len(first.partitions) == len(second.partitions) == 2
        wait_until("two members share the partitions", shared)
        before, seen = first.partitions, second.assignments
        first.close()
        returned = self.driver.member(group, topic, "one")
        wait_until("the member is back", lambda: returned.partitions == before)
        time.sleep(1.0)  # a rebalance would reach the other member with its next heartbeat
        assert second.assignments == seen, "the return of a static member led to a rebalance"
        returned.close()
        second.close()

    def topics(self):
        topic = self.topic("topics", 2)
        count = lambda: self.driver.partition_count(topic)
        wait_until("the topic has 2 partitions", lambda: count() == 2)
        self.driver.add_partitions(topic, 5)
        wait_until("the topic has 5 partitions", lambda: count() == 5)
        self.driver.delete_topic(topic)
        wait_until("the topic is gone", lambda: count() is None)

    def configs(self):
        topic = self.topic("configs", 1, {"retention.ms": "3600000", "cleanup.policy": "compact"})
        created = {"retention.ms": "3600000", "cleanup.policy": "compact", "segment.bytes": "1073741824"}
        wait_until("the settings are as created", lambda: self.has_configs(topic, created))
        change = {"retention.ms": "7200000", "max.message.bytes": "2000000"}
        self.driver.set_configs(topic, change)
        wait_until("the settings are changed", lambda: self.has_configs(topic, change))

    def has_configs(self, topic, wanted):
        try:
            configs = self.driver.get_configs(topic)
        except Exception:  # the broker that is asked may not have heard of the topic yet
            return False
        return all(configs[key] == value for key, value in wanted.items())

    def idempotence(self):
        return content_hash(self.round_trip("idempotence", "text", idempotent=True))

    def cross(self):
        hashes = {}
        for row in json.loads((self.workdir / f"{self.prefix}.cross.json").read_text()):
            records = self.driver.consume(row["topic"], row["count"])
            hashes[row["topic"]] = content_hash(records)
        return hashes


def run(driver_class, suite_class=Suite):
    """Runs the capabilities named on the command line; one line of JSON for each."""
    bootstrap, workdir, prefix, *capabilities = sys.argv[1:]
    suite = suite_class(driver_class(bootstrap, workdir), workdir, prefix)
    for capability in capabilities:
        line = {"capability": capability, "ok": True, "hash": None, "detail": ""}
        try:
            line["hash"] = getattr(suite, capability)()
        except Exception as error:
            line["ok"] = False
            line["detail"] = f"{type(error).__name__}: {error}"
            traceback.print_exc()
        print(json.dumps(line), flush=True)
