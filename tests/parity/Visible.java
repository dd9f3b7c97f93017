import java.io.File;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.io.PrintStream;
import org.apache.kafka.clients.consumer.ConsumerRecord;
import org.apache.kafka.clients.consumer.KafkaConsumer;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.record.internal.ControlRecordType;
import org.apache.kafka.common.record.internal.EndTransactionMarker;
import org.apache.kafka.common.record.internal.FileLogInputStream;
import org.apache.kafka.common.record.internal.FileRecords;
import org.apache.kafka.common.record.internal.Record;
import org.apache.kafka.common.serialization.ByteArrayDeserializer;

/**
 * Tells what a partition holds, a line for each thing, to compare.
 *
 * <p>{@code Visible files FOLDER OUTPUT}: what Kafka's classes read in its files. The first word of a line says what it is about: a record, a
 * marker, a batch, an empty batch, a producer as a start without snapshot would know it, an aborted transaction of a segment's index.
 *
 * <p>{@code Visible consumer BOOTSTRAP TOPIC ISOLATION OUTPUT}: what a consumer gets.
 */
public final class Visible {
    private final PrintStream out;
    private final Map<Long, String> producers = new TreeMap<>();

    private Visible(String output) throws Exception {
        out = new PrintStream(new java.io.BufferedOutputStream(Files.newOutputStream(Path.of(output)), 1 << 20), false);
    }

    public static void main(String[] args) throws Exception {
        Visible visible = new Visible(args[args.length - 1]);
        if (args[0].equals("files")) {
            visible.files(new File(args[1]));
        } else {
            visible.consume(args[1], new TopicPartition(args[2], 0), args[3]);
        }
        visible.out.close();
    }

    private void files(File folder) throws Exception {
        File[] files = folder.listFiles();
        Arrays.sort(files);
        for (File file : files) {
            if (file.getName().endsWith(".log")) {
                segment(file);
            } else if (file.getName().endsWith(".txnindex")) {
                aborted(file);
            }
        }
        producers.forEach((id, state) -> out.println("producer " + id + " " + state));
    }

    private void segment(File file) throws Exception {
        out.println("segment " + file.getName() + " " + file.length());
        FileRecords records = FileRecords.open(file, false);
        for (FileLogInputStream.FileChannelRecordBatch batch : records.batches()) {
            batch.ensureValid();
            Integer count = batch.countOrNull();
            String of = batch.producerId() + " " + batch.producerEpoch() + " " + batch.isTransactional();
            String horizon = batch.deleteHorizonMs().isPresent() ? "horizon" : "-";
            String fields = batch.baseOffset() + " " + batch.lastOffset() + " " + batch.baseSequence() + " " + of + " "
                + batch.isControlBatch() + " " + batch.compressionType() + " " + batch.timestampType() + " "
                + batch.partitionLeaderEpoch();
            if (count == 0) {
                out.println("empty " + fields);
            } else {
                out.println("batch " + fields + " " + count + " " + batch.maxTimestamp() + " " + horizon);
            }
            if (batch.hasProducerId() && !batch.isControlBatch()) {
                producers.put(batch.producerId(), batch.producerEpoch() + " " + batch.lastSequence() + " " + batch.lastOffset());
            }
            for (Record record : batch) {
                if (batch.isControlBatch()) {
                    EndTransactionMarker marker = EndTransactionMarker.deserialize(record);
                    ControlRecordType type = marker.controlType();
                    out.println("marker " + record.offset() + " " + record.timestamp() + " " + of + " " + type + " "
                        + marker.coordinatorEpoch() + " " + horizon);
                    String known = producers.get(batch.producerId());
                    String data = known == null ? "-1 -1" : known.substring(known.indexOf(' ') + 1);
                    producers.put(batch.producerId(), batch.producerEpoch() + " " + data);
                } else {
                    out.println("record " + record.offset() + " " + record.timestamp() + " " + digest(record.key()) + " "
                        + digest(record.value()) + " " + headers(record.headers()) + " " + of + " " + record.sequence()
                        + " " + horizon);
                }
            }
        }
        records.close();
    }

    /**
     * Version, producer, first offset, last offset, last stable offset. Only who and where it ends: the rest bounds what a fetch looks at, and
     * Kafka keeps it as it was, whereas Ottla takes it from the batches that are left.
     */
    private void aborted(File file) throws Exception {
        ByteBuffer bytes = ByteBuffer.wrap(Files.readAllBytes(file.toPath()));
        for (int at = 0; at + 34 <= bytes.limit(); at += 34) {
            out.println("aborted " + bytes.getLong(at + 2) + " " + bytes.getLong(at + 18));
        }
    }

    private void consume(String bootstrap, TopicPartition partition, String isolation) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", bootstrap, "isolation.level", isolation,
            "max.poll.records", 10_000, "enable.auto.commit", false);
        try (KafkaConsumer<byte[], byte[]> consumer =
                new KafkaConsumer<>(config, new ByteArrayDeserializer(), new ByteArrayDeserializer())) {
            consumer.assign(List.of(partition));
            consumer.seekToBeginning(List.of(partition));
            long end = consumer.endOffsets(List.of(partition)).get(partition);
            while (consumer.position(partition) < end) {
                for (ConsumerRecord<byte[], byte[]> record : consumer.poll(Duration.ofSeconds(1))) {
                    out.println("record " + record.offset() + " " + record.timestamp() + " " + digest(record.key()) + " "
                        + digest(record.value()) + " " + headers(record.headers().toArray()));
                }
            }
            out.println("end " + end);
        }
    }

    private static String digest(ByteBuffer bytes) throws Exception {
        if (bytes == null) {
            return "null";
        }
        byte[] copy = new byte[bytes.remaining()];
        bytes.duplicate().get(copy);
        return digest(copy);
    }

    private static String digest(byte[] bytes) throws Exception {
        return bytes == null ? "null" : HexFormat.of().formatHex(MessageDigest.getInstance("MD5").digest(bytes));
    }

    private static String headers(Header[] headers) throws Exception {
        List<String> all = new ArrayList<>();
        for (Header header : headers) {
            all.add(header.key() + "=" + digest(header.value()));
        }
        return String.join(",", all) + ";";
    }
}
