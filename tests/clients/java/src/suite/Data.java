package suite;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.HexFormat;
import java.util.List;
import org.apache.kafka.common.header.Header;
import org.apache.kafka.common.header.internals.RecordHeader;

/** The records that are sent, and the hash that says whether they came back. */
final class Data {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final HexFormat HEX = HexFormat.of();

    /** A record; null is null. */
    record Row(byte[] key, byte[] value, List<Header> headers, long timestamp, int partition) {}

    private Data() {}

    static List<Row> load(Path workdir, String name) throws IOException {
        List<Row> rows = new ArrayList<>();
        for (String line : Files.readAllLines(workdir.resolve(name + ".jsonl"))) {
            JsonNode row = JSON.readTree(line);
            List<Header> headers = new ArrayList<>();
            for (JsonNode pair : row.get("headers")) {
                headers.add(new RecordHeader(pair.get(0).asText(), bytes(pair.get(1))));
            }
            rows.add(new Row(bytes(row.get("key")), bytes(row.get("value")), headers, row.get("timestamp").asLong(), 0));
        }
        return rows;
    }

    static JsonNode json(Path file) throws IOException {
        return JSON.readTree(file.toFile());
    }

    /** SHA-256 over keys, values, headers and, if wanted, times, in the order given. */
    static String hash(List<Row> rows, boolean timestamps) throws NoSuchAlgorithmException {
        MessageDigest digest = MessageDigest.getInstance("SHA-256");
        for (Row row : rows) {
            List<String> headers = new ArrayList<>();
            for (Header header : row.headers()) {
                headers.add(header.key() + "=" + (header.value() == null ? "" : HEX.formatHex(header.value())));
            }
            String time = timestamps ? row.timestamp() + "|" : "";
            String line = time + text(row.key()) + "|" + text(row.value()) + "|" + String.join(",", headers) + "\n";
            digest.update(line.getBytes(StandardCharsets.UTF_8));
        }
        return HEX.formatHex(digest.digest());
    }

    private static String text(byte[] data) {
        return data == null ? "-" : HEX.formatHex(data);
    }

    private static byte[] bytes(JsonNode node) {
        return node.isNull() ? null : Base64.getDecoder().decode(node.asText());
    }
}
