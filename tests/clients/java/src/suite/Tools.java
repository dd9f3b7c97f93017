package suite;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.File;
import java.io.InputStream;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicReference;
import java.util.regex.Pattern;
import org.apache.kafka.common.utils.Exit;

/**
 * Kafka's command-line tools, nearly all run through their main method in this one process: what a tool would
 * print is collected, what would end the process ends only the tool. A tool that reads what another wrote runs that one
 * itself first, so that each can be run alone.
 */
final class Tools implements Main.Suite {
    private static final ObjectMapper JSON = new ObjectMapper();
    private static final String TOOLS = "org.apache.kafka.tools.";
    private static final String KEY_END = "\t";

    private final String bootstrap;
    private final Path workdir;
    private final String prefix;

    Tools(String bootstrap, Path workdir, String prefix) {
        this.bootstrap = bootstrap;
        this.workdir = workdir;
        this.prefix = prefix;
    }

    /** How a tool ended, in place of the end of the process. */
    private static final class Ended extends RuntimeException {
        private static final long serialVersionUID = 1;
        private final int status;

        Ended(int status) {
            super("ended with status " + status, null, false, false);
            this.status = status;
        }
    }

    @Override
    public Main.Scenario scenario(String capability) {
        return switch (capability) {
            case "TopicCommand" -> this::topicCommand;
            case "ConfigCommand" -> this::configCommand;
            case "ConsoleProducer" -> this::consoleProducer;
            case "ConsoleConsumer" -> this::consoleConsumer;
            case "ConsumerGroupCommand" -> this::consumerGroupCommand;
            case "GetOffsetShell" -> this::getOffsetShell;
            case "VerifiableProducer" -> () -> verifiableProducer("VerifiableProducer");
            case "VerifiableConsumer" -> this::verifiableConsumer;
            case "ProducerPerformance" -> () -> producerPerformance("ProducerPerformance");
            case "ConsumerPerformance" -> this::consumerPerformance;
            case "EndToEndLatency" -> this::endToEndLatency;
            case "DumpLogSegments" -> this::dumpLogSegments;
            default -> throw new IllegalArgumentException(capability);
        };
    }

    private Object topicCommand() throws Exception {
        String topic = topic("TopicCommand", 3, "--config", "retention.ms=3600000");
        Check.eventually("the topic is listed", () -> topicTool("--list").lines().anyMatch(topic::equals));
        contains(topicTool("--describe", "--topic", topic), "PartitionCount: 3", "retention.ms=3600000");
        topicTool("--alter", "--topic", topic, "--partitions", "5");
        Check.eventually("the topic has 5 partitions",
            () -> topicTool("--describe", "--topic", topic).contains("PartitionCount: 5"));
        topicTool("--delete", "--topic", topic);
        Check.eventually("the topic is gone", () -> topicTool("--list").lines().noneMatch(topic::equals));
        return null;
    }

    private Object configCommand() throws Exception {
        String topic = topic("ConfigCommand", 1);
        String[] entity = {"--entity-type", "topics", "--entity-name", topic};
        configTool(entity, "--alter", "--add-config", "retention.ms=7200000,cleanup.policy=[compact,delete]");
        Check.eventually("the settings are described", () -> {
            String described = configTool(entity, "--describe");
            return described.contains("retention.ms=7200000") && described.contains("cleanup.policy=compact,delete");
        });
        contains(configTool(entity, "--describe", "--all"), "segment.bytes=1073741824", "DEFAULT_CONFIG:");
        configTool(entity, "--alter", "--delete-config", "retention.ms");
        Check.eventually("the setting is back at its default",
            () -> !configTool(entity, "--describe").contains("retention.ms=7200000"));
        String[] brokers = {"--entity-type", "brokers", "--entity-default"};
        configTool(brokers, "--alter", "--add-config", "log.cleaner.backoff.ms=15000");
        Check.eventually("the cluster's default is described",
            () -> configTool(brokers, "--describe").contains("log.cleaner.backoff.ms=15000"));
        configTool(brokers, "--alter", "--delete-config", "log.cleaner.backoff.ms");
        return null;
    }

    private Object consoleProducer() throws Exception {
        String topic = topic("ConsoleProducer", 1);
        int count = produceLines(topic);
        Check.equal(endOffset(topic), count, "the end of the log");
        return null;
    }

    private String consoleConsumer() throws Exception {
        String topic = topic("ConsoleConsumer", 1);
        int count = produceLines(topic);
        String out = run("consumer.ConsoleConsumer", "", "--bootstrap-server", bootstrap, "--topic", topic,
            "--from-beginning", "--max-messages", String.valueOf(count), "--timeout-ms", "30000",
            "--formatter-property", "print.key=true", "--formatter-property", "key.separator=" + KEY_END,
            "--formatter-property", "print.headers=true", "--formatter-property", "headers.separator=|",
            "--formatter-property", "null.literal=NULL");
        List<Data.Row> rows = new ArrayList<>();
        for (String line : out.lines().filter(line -> line.contains(KEY_END)).toList()) {
            String[] parts = line.split(KEY_END, 3);
            Check.equal(parts[0], "NO_HEADERS", "the headers");
            byte[] key = parts[1].equals("NULL") ? null : parts[1].getBytes(StandardCharsets.UTF_8);
            rows.add(new Data.Row(key, parts[2].getBytes(StandardCharsets.UTF_8), List.of(), 0, 0));
        }
        return Data.hash(rows, false);
    }

    private Object consumerGroupCommand() throws Exception {
        String topic = topic("ConsumerGroupCommand", 1);
        String group = prefix + ".ConsumerGroupCommand";
        int count = produceLines(topic);
        run("consumer.ConsoleConsumer", "", "--bootstrap-server", bootstrap, "--topic", topic, "--group", group,
            "--from-beginning", "--max-messages", String.valueOf(count), "--timeout-ms", "30000");
        contains(groupTool("--list"), group);
        Pattern read = Pattern.compile(topic.replace(".", "\\.") + "\\s+0\\s+" + count + "\\s+" + count + "\\s+0\\s");
        Check.eventually("the group has read everything",
            () -> read.matcher(groupTool("--describe", "--group", group)).find());
        contains(groupTool("--describe", "--group", group, "--state"), "Empty");
        groupTool("--reset-offsets", "--to-earliest", "--topic", topic, "--group", group, "--execute");
        Pattern reset = Pattern.compile(topic.replace(".", "\\.") + "\\s+0\\s+0\\s+" + count + "\\s+" + count + "\\s");
        Check.eventually("the group is back at the beginning",
            () -> reset.matcher(groupTool("--describe", "--group", group)).find());
        contains(groupTool("--delete", "--group", group), "successful");
        Check.that(!groupTool("--list").contains(group), "the deleted group is still listed");
        return null;
    }

    private Object getOffsetShell() throws Exception {
        String topic = topic("GetOffsetShell", 1);
        int count = produceLines(topic);
        Check.equal(offsets(topic, "-2"), topic + ":0:0", "the beginning");
        Check.equal(offsets(topic, "-1"), topic + ":0:" + count, "the end");
        Check.equal(offsets(topic, "0"), topic + ":0:0", "the offset for time 0");
        Check.that(offsets(topic, "-3").startsWith(topic + ":0:"), "no offset of the latest time");
        return null;
    }

    private String verifiableProducer(String capability) throws Exception {
        String topic = topic(capability, 1);
        String out = runApart("VerifiableProducer", "--bootstrap-server", bootstrap, "--topic", topic,
            "--max-messages", "1000", "--acks", "-1", "--throughput", "-1");
        contains(out, "\"acked\":1000");
        return null;
    }

    private Object verifiableConsumer() throws Exception {
        verifiableProducer("VerifiableConsumer");
        String out = runApart("VerifiableConsumer", "--bootstrap-server", bootstrap, "--topic",
            prefix + ".VerifiableConsumer", "--group-id", prefix + ".VerifiableConsumer", "--max-messages", "1000",
            "--reset-policy", "earliest", "--verbose");
        List<String> values = new ArrayList<>();
        for (String line : out.lines().filter(line -> line.startsWith("{")).toList()) {
            JsonNode event = JSON.readTree(line);
            if (event.path("name").asText().equals("record_data")) {
                values.add(event.get("value").asText());
            }
        }
        Check.equal(values.size(), 1000, "the number of records");
        for (int i = 0; i < values.size(); i++) {
            Check.equal(values.get(i), i, "record " + i);
        }
        return null;
    }

    private Object producerPerformance(String capability) throws Exception {
        String topic = topic(capability, 1);
        String out = run("ProducerPerformance", "", "--topic", topic, "--num-records", "20000", "--record-size", "500",
            "--throughput", "-1", "--producer-props", "bootstrap.servers=" + bootstrap, "acks=all");
        contains(out, "20000 records sent");
        Check.equal(endOffset(topic), 20000, "the end of the log");
        return null;
    }

    private Object consumerPerformance() throws Exception {
        producerPerformance("ConsumerPerformance");
        String out = run("ConsumerPerformance", "", "--bootstrap-server", bootstrap, "--topic",
            prefix + ".ConsumerPerformance", "--num-records", "20000", "--timeout", "30000");
        String[] last = out.lines().reduce("", (a, b) -> b).split(",");
        Check.that(last.length > 4 && Long.parseLong(last[4].trim()) >= 20000, "too few records:\n" + out);
        return null;
    }

    private Object endToEndLatency() throws Exception {
        String topic = topic("EndToEndLatency", 1);
        String out = run("EndToEndLatency", "", "--bootstrap-server", bootstrap, "--topic", topic, "--num-records",
            "200", "--producer-acks", "all", "--record-size", "100");
        contains(out, "Avg latency", "Percentiles");
        return null;
    }

    /** Reads the files that the broker wrote; the suite says in a variable where they are. */
    private Object dumpLogSegments() throws Exception {
        Path data = Path.of(System.getenv("CLIENTS_DATA_DIR"));
        String topic = topic("DumpLogSegments", 1);
        int count = produceLines(topic);
        run("consumer.ConsoleConsumer", "", "--bootstrap-server", bootstrap, "--topic", topic, "--group",
            prefix + ".DumpLogSegments", "--from-beginning", "--max-messages", String.valueOf(count));
        String log = dump(files(data.resolve(topic + "-0"), ".log"), "--deep-iteration", "--print-data-log");
        Check.equal(log.lines().filter(line -> line.startsWith("| offset:")).count(), count, "the number of records");
        String indexes = files(data.resolve(topic + "-0"), ".index") + "," + files(data.resolve(topic + "-0"), ".timeindex");
        dump(indexes, "--index-sanity-check");
        StringBuilder offsets = new StringBuilder();
        try (var folders = Files.newDirectoryStream(data, "__consumer_offsets-*")) {
            for (Path folder : folders) {
                String names = files(folder, ".log");
                if (!names.isEmpty()) {
                    offsets.append(dump(names, "--offsets-decoder"));
                }
            }
        }
        contains(offsets.toString(), prefix + ".DumpLogSegments", topic);
        return null;
    }

    private String dump(String files, String... options) throws Exception {
        List<String> arguments = new ArrayList<>(List.of(options));
        arguments.addAll(List.of("--files", files));
        String out = run("DumpLogSegments", "", arguments.toArray(String[]::new));
        for (String complaint : List.of("mismatch", "corrupt", "Non-consecutive", "isvalid: false", "not sequential")) {
            Check.that(!out.contains(complaint), complaint + " in:\n" + out);
        }
        return out;
    }

    private static String files(Path folder, String suffix) {
        File[] found = folder.toFile().listFiles((dir, name) -> name.endsWith(suffix));
        return String.join(",", Arrays.stream(found == null ? new File[0] : found).map(File::getPath).sorted().toList());
    }

    private String topic(String capability, int partitions, String... options) throws Exception {
        String topic = prefix + "." + capability;
        List<String> arguments = new ArrayList<>(
            List.of("--create", "--topic", topic, "--partitions", String.valueOf(partitions)));
        arguments.addAll(List.of(options));
        contains(topicTool(arguments.toArray(String[]::new)), "Created topic");
        return topic;
    }

    /** Produces the suite's text through standard input; gives the number of records. */
    private int produceLines(String topic) throws Exception {
        List<Data.Row> rows = Data.load(workdir, "text");
        StringBuilder lines = new StringBuilder();
        for (Data.Row row : rows) {
            String key = row.key() == null ? "NULL" : new String(row.key(), StandardCharsets.UTF_8);
            lines.append(key).append(KEY_END).append(new String(row.value(), StandardCharsets.UTF_8)).append('\n');
        }
        run("ConsoleProducer", lines.toString(), "--bootstrap-server", bootstrap, "--topic", topic,
            "--compression-codec", "zstd", "--reader-property", "parse.key=true",
            "--reader-property", "key.separator=" + KEY_END, "--reader-property", "null.marker=NULL");
        return rows.size();
    }

    private String offsets(String topic, String time) throws Exception {
        return run("GetOffsetShell", "", "--bootstrap-server", bootstrap, "--topic", topic, "--time", time).trim();
    }

    private long endOffset(String topic) throws Exception {
        String line = offsets(topic, "-1");
        return Long.parseLong(line.substring(line.lastIndexOf(':') + 1));
    }

    private String topicTool(String... arguments) throws Exception {
        return run("TopicCommand", "", with(arguments));
    }

    private String groupTool(String... arguments) throws Exception {
        return run("consumer.group.ConsumerGroupCommand", "", with(arguments));
    }

    private String configTool(String[] entity, String... arguments) throws Exception {
        List<String> all = new ArrayList<>(List.of(arguments));
        all.addAll(List.of(entity));
        return run("kafka.admin.ConfigCommand", "", with(all.toArray(String[]::new)));
    }

    private String[] with(String... arguments) {
        List<String> all = new ArrayList<>(List.of("--bootstrap-server", bootstrap));
        all.addAll(List.of(arguments));
        return all.toArray(String[]::new);
    }

    /** Runs a tool to its end; gives what it printed. A status other than 0 is a failure. */
    private static String run(String tool, String input, String... arguments) throws Exception {
        Class<?> type = Class.forName(tool.startsWith("kafka.") ? tool : TOOLS + tool);
        ByteArrayOutputStream printed = new ByteArrayOutputStream();
        PrintStream out = System.out;
        InputStream in = System.in;
        // Some tools catch what stands for the end of the process, and end again: the first status counts.
        AtomicReference<Ended> first = new AtomicReference<>();
        Exit.Procedure end = (code, message) -> {
            first.compareAndSet(null, new Ended(code));
            throw first.get();
        };
        Exit.setExitProcedure(end);
        Exit.setHaltProcedure(end);
        List<Runnable> hooks = new ArrayList<>();
        Exit.setShutdownHookAdder((name, hook) -> hooks.add(hook));
        System.setOut(new PrintStream(printed, true, StandardCharsets.UTF_8));
        System.setIn(new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)));
        try {
            type.getMethod("main", String[].class).invoke(null, (Object) arguments);
        } catch (InvocationTargetException failure) {
            if (!(failure.getCause() instanceof Ended)) {
                throw failure;
            }
        } finally {
            hooks.forEach(Runnable::run); // ConsoleProducer flushes in its hook
            System.setOut(out);
            System.setIn(in);
        }
        String text = printed.toString(StandardCharsets.UTF_8);
        int status = first.get() == null ? 0 : first.get().status;
        Check.that(status == 0, tool + " " + String.join(" ", arguments) + " ended with status " + status + ":\n" + text);
        return text;
    }

    /** The same in a process of its own, for tools that clean up only at the very end of theirs. */
    private static String runApart(String tool, String... arguments) throws Exception {
        List<String> command = new ArrayList<>(List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(), "-XX:TieredStopAtLevel=1", "-cp",
            System.getProperty("java.class.path"), TOOLS + tool));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        String text = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        int status = process.waitFor();
        Check.that(status == 0, String.join(" ", command) + " ended with status " + status + ":\n" + text);
        return text;
    }

    private static void contains(String text, String... wanted) {
        for (String one : wanted) {
            String end = text.substring(Math.max(0, text.length() - 2000));
            Check.that(text.contains(one), "no \"" + one + "\" in:\n" + end);
        }
    }
}
