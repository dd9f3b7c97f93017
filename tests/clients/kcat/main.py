"""kcat, run as a command. It has no admin functions: confluent-kafka makes the topics."""

import json
import re
import subprocess
import time

from confluent_kafka.admin import AdminClient, NewTopic

from harness import Driver, Member, Record, Suite, content_hash, run

KEY_END, RECORD_END = "\x01", "\x02"


class Kcat(Driver):
    def __init__(self, bootstrap, workdir):
        super().__init__(bootstrap, workdir)
        self.admin = AdminClient({"bootstrap.servers": bootstrap})

    def command(self, *arguments, stdin=None):
        done = subprocess.run(
            ["kcat", "-b", self.bootstrap, *arguments], input=stdin, capture_output=True, timeout=60, check=False
        )
        assert done.returncode == 0, f"kcat {' '.join(arguments)}: {done.stderr.decode()[-500:]}"
        return done.stdout

    def create_topic(self, topic, partitions=1, configs=None):
        new = NewTopic(topic, num_partitions=partitions, replication_factor=-1, config=configs or {})
        self.admin.create_topics([new])[topic].result(30)

    def produce(self, topic, records, codec="none", idempotent=False):
        # Headers are given once for all records of a run; empty keys and values become null (-Z).
        headers = [f"-H{name}={value.decode()}" for name, value in records[0].headers]
        lines = [(r.key or b"") + KEY_END.encode() + (r.value or b"") for r in records]
        self.command(
            "-P", "-t", topic, "-Z", "-K", KEY_END, "-D", RECORD_END, "-z", codec, *headers,
            "-X", f"enable.idempotence={str(idempotent).lower()}", "-X", "linger.ms=20",
            stdin=RECORD_END.encode().join(lines),
        )

    def consume(self, topic, count, partitions=1):
        out = self.command("-C", "-t", topic, "-o", "beginning", "-c", str(count), "-J", "-q")
        return records_of(out)

    def offset_for_time(self, topic, timestamp):
        out = self.command("-Q", "-t", f"{topic}:0:{timestamp}").decode()
        found = int(re.search(r"offset (-?\d+)", out).group(1))
        return found if found >= 0 else None

    def read_and_commit(self, group, topic, count):
        out = self.command("-c", str(count), "-J", "-q", *group_options, "-G", group, topic)
        return records_of(out)

    def member(self, group, topic, instance=None):
        options = ["-X", f"group.instance.id={instance}"] if instance else []
        return KcatMember([
            "kcat", "-b", self.bootstrap, *group_options, *options, "-G", group, topic,
        ])


group_options = ["-X", "auto.offset.reset=earliest", "-X", "session.timeout.ms=10000", "-X", "heartbeat.interval.ms=500"]


class KcatMember(Member):
    def __init__(self, command):
        self.command = command
        super().__init__()

    def poll_until(self, closing):
        process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.process = process
        for line in process.stderr:
            if " rebalanced " in line and "assigned:" in line:
                self.assigned(int(p) for p in re.findall(r"\[(\d+)\]", line.split("assigned:")[1]))
        process.wait()

    def close(self):
        self.process.terminate()
        super().close()


class KcatSuite(Suite):
    def lookup(self):
        # kcat cannot set timestamps: two runs have different ones.
        topic = self.topic("lookup")
        records = self.data("text")
        self.driver.produce(topic, records[:3])
        time.sleep(0.01)
        self.driver.produce(topic, records[3:6])
        read = self.driver.consume(topic, 6)
        assert self.driver.offset_for_time(topic, read[3].timestamp) == 3
        assert self.driver.offset_for_time(topic, read[2].timestamp + 1) == 3
        assert self.driver.offset_for_time(topic, 0) == 0
        found = self.driver.offset_for_time(topic, read[5].timestamp + 1)
        assert found is None, f"offset {found} for a time after the last record"
        assert content_hash(read) == content_hash(records[:6])


def records_of(output):
    text = lambda data: None if data is None else data.encode()
    records = []
    for line in output.decode().splitlines():
        row = json.loads(line)
        flat = row.get("headers") or []
        headers = [(flat[i], text(flat[i + 1])) for i in range(0, len(flat), 2)]
        key, value = text(row["key"]), text(row["payload"])
        records.append(Record(key, value, headers, row["ts"], row["partition"], row["offset"]))
    return records


run(Kcat, KcatSuite)
