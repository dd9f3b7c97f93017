package suite;

import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.FileDescriptor;
import java.io.FileOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;

/** Runs the capabilities named on the command line; one line of JSON for each. See ../../../README.md. */
public final class Main {
    private static final ObjectMapper JSON = new ObjectMapper();

    /** A capability: gives a hash (a text, a map or null where none is compared). */
    interface Scenario {
        Object run() throws Exception;
    }

    /** What knows the capabilities of one client. */
    interface Suite {
        Scenario scenario(String capability);
    }

    private Main() {}

    public static void main(String[] arguments) throws Exception {
        String which = arguments[0];
        String bootstrap = arguments[1];
        Path workdir = Path.of(arguments[2]);
        String prefix = arguments[3];
        PrintStream results = new PrintStream(new FileOutputStream(FileDescriptor.out), true, StandardCharsets.UTF_8);
        Suite suite = which.equals("tools")
            ? new Tools(bootstrap, workdir, prefix)
            : new JavaClient(bootstrap, workdir, prefix);
        for (String capability : Arrays.asList(arguments).subList(4, arguments.length)) {
            ObjectNode line = JSON.createObjectNode().put("capability", capability).put("ok", true).put("detail", "");
            try {
                line.set("hash", JSON.valueToTree(suite.scenario(capability).run()));
            } catch (Throwable failure) {
                failure.printStackTrace();
                line.put("ok", false).put("detail", failure.toString());
            }
            results.println(JSON.writeValueAsString(line));
        }
        // Threads of a client that did not close must not keep the process.
        Runtime.getRuntime().halt(0);
    }
}
