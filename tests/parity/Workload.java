import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.common.header.internals.RecordHeader;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Writes random keyed records to partition 0 of a topic: plain, idempotent and transactional producers in turn, every codec. One batch is
 * waited for before the next is sent, so that a seed gives the same log.
 *
 * <p>Arguments: bootstrap, topic, seed, number of keys, first record, end of records, timestamp of record 0. Prints what it wrote, as
 * names and numbers.
 */
public final class Workload {
    private static final String[] CODECS = {"none", "gzip", "snappy", "lz4", "zstd"};
    private static final int TRANSACTIONAL = 5;

    private final String bootstrap;
    private final String topic;
    private final int keys;
    private final long epochMs;
    private final Random random;
    private long next;
    private final Map<String, Long> counts = new HashMap<>();

    private Workload(String[] args) {
        bootstrap = args[0];
        topic = args[1];
        random = new Random(Long.parseLong(args[2]));
        keys = Integer.parseInt(args[3]);
        next = Long.parseLong(args[4]);
        epochMs = Long.parseLong(args[6]);
    }

    public static void main(String[] args) throws Exception {
        Workload workload = new Workload(args);
        workload.run(Long.parseLong(args[5]));
        workload.counts.forEach((name, count) -> System.out.println(name + " " + count));
    }

    private void run(long end) throws Exception {
        List<Writer> plain = new ArrayList<>();
        List<Writer> idempotent = new ArrayList<>();
        List<Writer> transactional = new ArrayList<>();
        for (String codec : CODECS) {
            plain.add(new Writer(codec, false, null));
            idempotent.add(new Writer(codec, true, null));
        }
        for (int i = 0; i < TRANSACTIONAL; i++) {
            transactional.add(new Writer(CODECS[i % CODECS.length], true, "txn-" + i));
        }
        while (next < end) {
            int which = random.nextInt(4);
            List<Writer> of = which == 0 ? plain : which == 1 ? idempotent : transactional;
            int at = random.nextInt(of.size());
            // Producers come and go: the last batch of each must stay.
            if (which < 3 && of.get(at).isIdle() && random.nextInt(100) == 0) {
                of.set(at, of.get(at).renewed());
            }
            of.get(at).write(Math.min(batchSize(), end - next));
        }
        for (Writer writer : transactional) {
            writer.finish();
        }
        for (List<Writer> writers : List.of(plain, idempotent, transactional)) {
            writers.forEach(writer -> writer.producer.close());
        }
    }

    private long batchSize() {
        int kind = random.nextInt(10);
        return 1 + random.nextInt(kind < 5 ? 10 : kind < 9 ? 60 : 400);
    }

    private void count(String name, long by) {
        counts.merge(name, by, Long::sum);
    }

    private final class Writer {
        private final String codec;
        private final boolean idempotent;
        private final String id;
        private final KafkaProducer<byte[], byte[]> producer;
        /** Batches until the transaction ends; 0: none is open. */
        private int left;
        private boolean commits;
        private long inTransaction;

        Writer(String codec, boolean idempotent, String id) {
            this.codec = codec;
            this.idempotent = idempotent;
            this.id = id;
            Map<String, Object> config = new HashMap<>();
            config.put("bootstrap.servers", bootstrap);
            config.put("compression.type", codec);
            config.put("enable.idempotence", idempotent);
            config.put("acks", "all");
            config.put("linger.ms", 1000);
            config.put("batch.size", 512 << 10);
            if (id != null) {
                config.put("transactional.id", id);
                config.put("transaction.timeout.ms", 900_000);
            }
            producer = new KafkaProducer<>(config, new ByteArraySerializer(), new ByteArraySerializer());
            if (id != null) {
                producer.initTransactions();
            }
            count("producers", 1);
        }

        boolean isIdle() {
            return left == 0;
        }

        Writer renewed() {
            producer.close();
            return new Writer(codec, idempotent, id);
        }

        void write(long records) throws Exception {
            if (id != null && left == 0) {
                producer.beginTransaction();
                // A few are so long that segments are rolled within.
                left = 1 + random.nextInt(random.nextInt(50) == 0 ? 300 : 10);
                commits = random.nextInt(5) != 0;
                inTransaction = 0;
            }
            for (long i = 0; i < records; i++) {
                producer.send(record());
            }
            producer.flush();
            count("records", records);
            inTransaction += records;
            if (id != null && --left == 0) {
                end();
            }
        }

        void finish() throws Exception {
            if (left > 0) {
                left = 0;
                end();
            }
        }

        private void end() throws Exception {
            count("transactions", 1);
            if (commits) {
                producer.commitTransaction();
            } else {
                producer.abortTransaction();
                count("aborted-transactions", 1);
                count("aborted-records", inTransaction);
            }
        }
    }

    private ProducerRecord<byte[], byte[]> record() {
        // Some keys are written often, most seldom; one is empty.
        int key = random.nextInt(10) < 3 ? random.nextInt(1 + keys / 50) : random.nextInt(keys);
        byte[] keyBytes = (key == 0 ? "" : "key-" + Integer.toString(key, 36)).getBytes(StandardCharsets.UTF_8);
        byte[] value = random.nextInt(10) == 0 ? null : value();
        if (value == null) {
            count("tombstones", 1);
        }
        // About in order, not quite.
        long timestamp = epochMs + 3 * next++ + random.nextInt(2000);
        ProducerRecord<byte[], byte[]> record = new ProducerRecord<>(topic, 0, timestamp, keyBytes, value);
        if (random.nextInt(10) == 0) {
            for (int i = random.nextInt(3); i >= 0; i--) {
                byte[] header = random.nextInt(4) == 0 ? null : ("h" + random.nextInt(1000)).getBytes(StandardCharsets.UTF_8);
                record.headers().add(new RecordHeader("header-" + i, header));
            }
        }
        return record;
    }

    /** Half of it compresses. */
    private byte[] value() {
        byte[] value = new byte[random.nextInt(random.nextInt(20) == 0 ? 1000 : 200)];
        for (int i = 0; i < value.length; i++) {
            value[i] = (byte) (i % 2 == 0 ? 'v' : random.nextInt(256));
        }
        return value;
    }
}
