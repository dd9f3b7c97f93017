package suite;

import com.fasterxml.jackson.databind.JsonNode;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.AlterConfigOp;
import org.apache.kafka.clients.admin.Config;
import org.apache.kafka.clients.admin.ConfigEntry;
import org.apache.kafka.clients.admin.NewPartitions;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.clients.consumer.OffsetAndMetadata;
import org.apache.kafka.clients.consumer.OffsetAndTimestamp;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.config.ConfigResource;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/** Kafka's own Java client. */
final class JavaClient implements Main.Suite {
    private final String bootstrap;
    private final Path workdir;
    private final String prefix;
    private final Admin admin;

    JavaClient(String bootstrap, Path workdir, String prefix) {
        this.bootstrap = bootstrap;
        this.workdir = workdir;
        this.prefix = prefix;
        this.admin = Admin.create(Map.of("bootstrap.servers", bootstrap));
    }

    @Override
    public Main.Scenario scenario(String capability) {
        return switch (capability) {
            case "none", "gzip", "snappy", "lz4", "zstd" ->
                () -> Data.hash(roundTrip(capability, "text", Map.of("compression.type", capability)), false);
            case "nulls", "headers" -> () -> Data.hash(roundTrip(capability, capability, Map.of()), false);
            case "timestamps" -> () -> Data.hash(roundTrip(capability, "text", Map.of()), true);
            case "idempotence" ->
                () -> Data.hash(roundTrip(capability, "text", Map.of("enable.idempotence", true)), false);
            case "keys" -> this::keys;
            case "lookup" -> this::lookup;
            case "group" -> this::group;
            case "commit" -> this::commit;
            case "static" -> this::staticMembers;
            case "topics" -> this::topics;
            case "configs" -> this::configs;
            case "cross" -> this::cross;
            default -> throw new IllegalArgumentException(capability);
        };
    }

    private String topic(String capability, int partitions, Map<String, String> configs) throws Exception {
        String topic = prefix + "." + capability;
        NewTopic created = new NewTopic(topic, Optional.of(partitions), Optional.empty()).configs(configs);
        admin.createTopics(List.of(created)).all().get();
        return topic;
    }

    private List<Data.Row> roundTrip(String capability, String data, Map<String, Object> options) throws Exception {
        String topic = topic(capability, 1, Map.of());
        List<Data.Row> rows = Data.load(workdir, data);
        produce(topic, rows, options);
        return consume(topic, rows.size(), 1);
    }

    private void produce(String topic, List<Data.Row> rows, Map<String, Object> options) throws Exception {
        Map<String, Object> settings = new HashMap<>(Map.of(
            "bootstrap.servers", bootstrap, "enable.idempotence", false, "acks", "all", "linger.ms", 20));
        settings.putAll(options);
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (var producer = new KafkaProducer<>(settings, new ByteArraySerializer(), new ByteArraySerializer())) {
            for (Data.Row row : rows) {
                sent.add(producer.send(
                    new ProducerRecord<>(topic, null, row.timestamp(), row.key(), row.value(), row.headers())));
            }
        }
        for (Future<RecordMetadata> one : sent) {
            one.get();
        }
    }

    private KafkaConsumer<byte[], byte[]> consumer(Map<String, Object> options) {
        Map<String, Object> settings = new HashMap<>(Map.of(
            "bootstrap.servers", bootstrap, "auto.offset.reset", "earliest", "enable.auto.commit", false,
            "session.timeout.ms", 10000, "heartbeat.interval.ms", 500));
        settings.putAll(options);
        return new KafkaConsumer<>(settings, new ByteArrayDeserializer(), new ByteArrayDeserializer());
    }

    private List<Data.Row> consume(String topic, int count, int partitions) {
        try (var consumer = consumer(Map.of())) {
            consumer.assign(IntStream.range(0, partitions).mapToObj(p -> new TopicPartition(topic, p)).toList());
            return read(consumer, count);
        }
    }

    private static List<Data.Row> read(KafkaConsumer<byte[], byte[]> consumer, int count) {
        List<Data.Row> rows = new ArrayList<>();
        long deadline = System.nanoTime() + 30_000_000_000L;
        while (rows.size() < count) {
            Check.that(System.nanoTime() < deadline, rows.size() + " of " + count + " records");
            for (ConsumerRecord<byte[], byte[]> r : consumer.poll(Duration.ofSeconds(1))) {
                rows.add(new Data.Row(r.key(), r.value(), Arrays.asList(r.headers().toArray()), r.timestamp(), r.partition()));
            }
        }
        return rows.subList(0, count);
    }

    private String keys() throws Exception {
        String topic = topic("keys", 3, Map.of());
        List<Data.Row> rows = Data.load(workdir, "keys");
        produce(topic, rows, Map.of());
        List<Data.Row> got = new ArrayList<>(consume(topic, rows.size(), 3));
        Map<String, Integer> places = new HashMap<>();
        Map<String, String> last = new HashMap<>();
        for (Data.Row row : got) {
            if (row.key() == null) {
                continue;
            }
            String key = new String(row.key());
            String value = new String(row.value());
            Check.equal(row.partition(), places.getOrDefault(key, row.partition()), "the partition of " + key);
            Check.that(last.getOrDefault(key, "").compareTo(value) < 0, key + " is out of order");
            places.put(key, row.partition());
            last.put(key, value);
        }
        Check.that(new HashSet<>(places.values()).size() > 1, "all keys are in one partition");
        got.sort(Comparator.comparing(row -> new String(row.value())));
        return Data.hash(got, false);
    }

    private Object lookup() throws Exception {
        String topic = topic("lookup", 1, Map.of());
        List<Data.Row> rows = Data.load(workdir, "text");
        produce(topic, rows, Map.of());
        TopicPartition partition = new TopicPartition(topic, 0);
        try (var consumer = consumer(Map.of())) {
            Map<Long, Object> wanted = new TreeMap<>();
            wanted.put(rows.get(3).timestamp(), 3L);
            wanted.put(rows.get(3).timestamp() + 1, 4L);
            wanted.put(0L, 0L);
            wanted.put(rows.get(rows.size() - 1).timestamp() + 1, null);
            for (var one : wanted.entrySet()) {
                OffsetAndTimestamp found = consumer.offsetsForTimes(Map.of(partition, one.getKey())).get(partition);
                Check.equal(found == null ? null : found.offset(), one.getValue(), "the offset for " + one.getKey());
            }
        }
        return null;
    }

    /** A member of a group that polls on its own thread until it is closed. */
    private final class Member implements org.apache.kafka.clients.consumer.ConsumerRebalanceListener {
        private final KafkaConsumer<byte[], byte[]> consumer;
        private final Thread thread;
        private volatile Set<Integer> partitions = Set.of();
        private volatile int assignments;
        private volatile boolean closing;

        Member(String group, String topic, String instance) {
            Map<String, Object> options = new HashMap<>(Map.of("group.id", group));
            if (instance != null) {
                options.put("group.instance.id", instance);
            }
            consumer = consumer(options);
            consumer.subscribe(List.of(topic), this);
            thread = new Thread(() -> {
                while (!closing) {
                    consumer.poll(Duration.ofMillis(100));
                }
                consumer.close();
            });
            thread.start();
        }

        @Override
        public void onPartitionsAssigned(Collection<TopicPartition> assigned) {
            Set<Integer> all = new HashSet<>();
            consumer.assignment().forEach(partition -> all.add(partition.partition()));
            partitions = all;
            assignments++;
        }

        @Override
        public void onPartitionsRevoked(Collection<TopicPartition> revoked) {}

        void close() throws InterruptedException {
            closing = true;
            thread.join(30_000);
        }
    }

    private static boolean covers(Member... members) {
        List<Integer> all = new ArrayList<>();
        for (Member member : members) {
            all.addAll(member.partitions);
        }
        return all.stream().sorted().toList().equals(List.of(0, 1, 2, 3));
    }

    private static boolean shared(Member first, Member second) {
        return covers(first, second) && first.partitions.size() == 2;
    }

    private Object group() throws Exception {
        String topic = topic("group", 4, Map.of());
        Member first = new Member(prefix + ".group", topic, null);
        Check.eventually("one member has all partitions", () -> covers(first));
        Member second = new Member(prefix + ".group", topic, null);
        Check.eventually("two members share the partitions", () -> shared(first, second));
        second.close();
        Check.eventually("the remaining member has all partitions", () -> covers(first));
        first.close();
        return null;
    }

    private Object staticMembers() throws Exception {
        String topic = topic("static", 4, Map.of());
        Member first = new Member(prefix + ".static", topic, "one");
        Member second = new Member(prefix + ".static", topic, "two");
        Check.eventually("two members share the partitions", () -> shared(first, second));
        Set<Integer> before = first.partitions;
        int seen = second.assignments;
        first.close();
        Member returned = new Member(prefix + ".static", topic, "one");
        Check.eventually("the member is back", () -> returned.partitions.equals(before));
        Thread.sleep(1000); // a rebalance would reach the other member with its next heartbeat
        Check.equal(second.assignments, seen, "the number of assignments");
        returned.close();
        second.close();
        return null;
    }

    private String commit() throws Exception {
        String topic = topic("commit", 1, Map.of());
        List<Data.Row> rows = Data.load(workdir, "text");
        int half = rows.size() / 2;
        produce(topic, rows, Map.of());
        List<Data.Row> before = readAndCommit(topic, 0, half);
        Check.equal(Data.hash(before, false), Data.hash(rows.subList(0, half), false), "the hash of the first half");
        return Data.hash(readAndCommit(topic, half, rows.size() - half), false);
    }

    private List<Data.Row> readAndCommit(String topic, int from, int count) {
        try (var consumer = consumer(Map.of("group.id", prefix + ".commit"))) {
            consumer.subscribe(List.of(topic));
            List<Data.Row> rows = read(consumer, count);
            consumer.commitSync(Map.of(new TopicPartition(topic, 0), new OffsetAndMetadata(from + count)));
            return rows;
        }
    }

    private Object topics() throws Exception {
        String topic = topic("topics", 2, Map.of());
        Check.eventually("the topic has 2 partitions", () -> partitions(topic) == 2);
        admin.createPartitions(Map.of(topic, NewPartitions.increaseTo(5))).all().get();
        Check.eventually("the topic has 5 partitions", () -> partitions(topic) == 5);
        admin.deleteTopics(List.of(topic)).all().get();
        Check.eventually("the topic is gone", () -> !admin.listTopics().names().get().contains(topic));
        return null;
    }

    private int partitions(String topic) throws Exception {
        return admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
    }

    private Object configs() throws Exception {
        Map<String, String> created = Map.of("retention.ms", "3600000", "cleanup.policy", "compact");
        String topic = topic("configs", 1, created);
        ConfigResource resource = new ConfigResource(ConfigResource.Type.TOPIC, topic);
        Check.eventually("the settings are as created", () -> has(resource, created));
        Check.eventually("the default is shown", () -> has(resource, Map.of("segment.bytes", "1073741824")));
        Map<String, String> change = Map.of("retention.ms", "7200000", "max.message.bytes", "2000000");
        List<AlterConfigOp> operations = change.entrySet().stream()
            .map(e -> new AlterConfigOp(new ConfigEntry(e.getKey(), e.getValue()), AlterConfigOp.OpType.SET))
            .toList();
        admin.incrementalAlterConfigs(Map.of(resource, operations)).all().get();
        Check.eventually("the settings are changed", () -> has(resource, change));
        return null;
    }

    private boolean has(ConfigResource resource, Map<String, String> wanted) throws Exception {
        Config config = admin.describeConfigs(List.of(resource)).all().get().get(resource);
        return wanted.entrySet().stream().allMatch(e -> config.get(e.getKey()).value().equals(e.getValue()));
    }

    private Object cross() throws Exception {
        Map<String, String> hashes = new TreeMap<>();
        for (JsonNode row : Data.json(workdir.resolve(prefix + ".cross.json"))) {
            String topic = row.get("topic").asText();
            hashes.put(topic, Data.hash(consume(topic, row.get("count").asInt(), 1), false));
        }
        return hashes;
    }
}
