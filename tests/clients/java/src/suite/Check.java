package suite;

import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.Callable;

/** Assertions. */
final class Check {
    private Check() {}

    static void that(boolean holds, String message) {
        if (!holds) {
            throw new AssertionError(message);
        }
    }

    static void equal(Object got, Object wanted, String what) {
        that(String.valueOf(got).equals(String.valueOf(wanted)), what + " is " + got + ", not " + wanted);
    }

    /** Waits for something that the broker needs a moment for; an exception counts as not yet. */
    static void eventually(String what, Callable<Boolean> condition) throws Exception {
        Instant deadline = Instant.now().plus(Duration.ofSeconds(40));
        while (true) {
            Exception last = null;
            try {
                if (condition.call()) {
                    return;
                }
            } catch (Exception failure) {
                last = failure;
            }
            that(Instant.now().isBefore(deadline), "not within 40 s: " + what + (last == null ? "" : " (" + last + ")"));
            Thread.sleep(50);
        }
    }
}
