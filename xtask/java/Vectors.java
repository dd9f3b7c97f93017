// Authors byte vectors with Kafka's own generated classes: what Ottla's codecs must read and write.
//
// usage: java -cp JARS Vectors.java OUT_DIR < NAMES      one message name per line
//
// For each message one file, for each of its versions up to three lines "VERSION VARIANT HEX":
//   default   the value that a new object has
//   full      every field of that version set, arrays with two elements, an unknown tagged field in each struct
//   nulls     like full, with null wherever that version allows it

import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.lang.reflect.Constructor;
import java.lang.reflect.Method;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import org.apache.kafka.common.Uuid;
import org.apache.kafka.common.protocol.ByteBufferAccessor;
import org.apache.kafka.common.protocol.Message;
import org.apache.kafka.common.protocol.ObjectSerializationCache;
import org.apache.kafka.common.protocol.types.BoundField;
import org.apache.kafka.common.protocol.types.Field;
import org.apache.kafka.common.protocol.types.RawTaggedField;
import org.apache.kafka.common.protocol.types.Schema;
import org.apache.kafka.common.protocol.types.TaggedFields;
import org.apache.kafka.common.protocol.types.Type;

public class Vectors {
    private static final String[] PACKAGES = {
        "org.apache.kafka.common.message.",
        "org.apache.kafka.common.metadata.",
        "org.apache.kafka.coordinator.group.generated.",
        "org.apache.kafka.coordinator.share.generated.",
        "org.apache.kafka.coordinator.transaction.generated.",
        "org.apache.kafka.raft.generated.",
        "org.apache.kafka.server.log.remote.metadata.storage.generated.",
    };

    /** Makes values differ from field to field. */
    private int counter;
    private final boolean nulls;
    private boolean sawNull;

    private Vectors(boolean nulls) {
        this.nulls = nulls;
    }

    public static void main(String[] args) throws Exception {
        Path out = Path.of(args[0]);
        try (BufferedReader names = new BufferedReader(new InputStreamReader(System.in))) {
            for (String name = names.readLine(); name != null; name = names.readLine()) {
                Files.write(out.resolve(name + ".txt"), author(name), StandardCharsets.US_ASCII);
            }
        }
    }

    private static List<String> author(String name) throws Exception {
        Constructor<?> constructor = find(name).getDeclaredConstructor();
        Message first = (Message) constructor.newInstance();
        Schema[] schemas = (Schema[]) constructor.getDeclaringClass().getField("SCHEMAS").get(null);
        List<String> lines = new ArrayList<>();
        for (short v = first.lowestSupportedVersion(); v <= first.highestSupportedVersion(); v++) {
            lines.add(v + " default " + hex(first, v));
            for (boolean nulls : new boolean[] {false, true}) {
                Vectors vectors = new Vectors(nulls);
                Message message = (Message) constructor.newInstance();
                vectors.fill(message, schemas[v]);
                if (!nulls || vectors.sawNull) {
                    lines.add(v + (nulls ? " nulls " : " full ") + hex(message, v));
                }
            }
        }
        return lines;
    }

    private static Class<?> find(String name) throws ClassNotFoundException {
        for (String candidate : new String[] {name + "Data", name}) {
            for (String prefix : PACKAGES) {
                try {
                    return Class.forName(prefix + candidate);
                } catch (ClassNotFoundException e) {
                    // the next one
                }
            }
        }
        throw new ClassNotFoundException(name);
    }

    private static String hex(Message message, short version) {
        ObjectSerializationCache cache = new ObjectSerializationCache();
        ByteBuffer buffer = ByteBuffer.allocate(message.size(cache, version));
        message.write(new ByteBufferAccessor(buffer), cache, version);
        return HexFormat.of().formatHex(buffer.array(), 0, buffer.position());
    }

    private void fill(Message message, Schema schema) throws Exception {
        for (BoundField bound : schema.fields()) {
            if (bound.def.type instanceof TaggedFields) {
                for (Map.Entry<Integer, Field> tagged : ((TaggedFields) bound.def.type).fields().entrySet()) {
                    set(message, tagged.getValue());
                }
                message.unknownTaggedFields().add(new RawTaggedField(5000, new byte[] {(byte) ++counter}));
            } else {
                set(message, bound.def);
            }
        }
    }

    private void set(Message message, Field field) throws Exception {
        String wanted = "set" + field.name.replace("_", "");
        for (Method method : message.getClass().getMethods()) {
            if (method.getName().equalsIgnoreCase(wanted) && method.getParameterCount() == 1) {
                method.setAccessible(true);
                method.invoke(message, value(field.type, method, message));
                return;
            }
        }
        throw new NoSuchMethodException(message.getClass() + " " + wanted);
    }

    private Object value(Type type, Method setter, Message owner) throws Exception {
        Class<?> target = setter.getParameterTypes()[0];
        if (nulls && type.isNullable()) {
            sawNull = true;
            return null;
        }
        if (type.isArray()) {
            Type element = type.arrayElementType().get();
            Collection<Object> values = collection(target);
            for (int i = 0; i < 2; i++) {
                values.add(scalarOrStruct(element, elementClass(setter, target, element), owner));
            }
            return values;
        }
        return scalarOrStruct(type, target, owner);
    }

    @SuppressWarnings("unchecked")
    private static Collection<Object> collection(Class<?> target) throws Exception {
        if (target.isInterface()) {
            return new ArrayList<>();
        }
        return (Collection<Object>) target.getDeclaredConstructor().newInstance();
    }

    /** Elements of a hash collection are of the class that its own type argument names, those of a list likewise. */
    private static Class<?> elementClass(Method setter, Class<?> target, Type element) {
        java.lang.reflect.Type generic =
            target.isInterface() ? setter.getGenericParameterTypes()[0] : target.getGenericSuperclass();
        return (Class<?>) ((java.lang.reflect.ParameterizedType) generic).getActualTypeArguments()[0];
    }

    private Object scalarOrStruct(Type type, Class<?> target, Message owner) throws Exception {
        counter++;
        if (type instanceof Schema) {
            Message struct = (Message) target.getDeclaredConstructor().newInstance();
            fill(struct, (Schema) type);
            return struct;
        }
        if (target == boolean.class || target == Boolean.class) {
            // The one boolean that is true by default shall differ too.
            return true;
        }
        if (target == byte.class || target == Byte.class) {
            return (byte) counter;
        }
        if (target == short.class || target == Short.class) {
            return (short) (256 + counter);
        }
        if (target == int.class || target == Integer.class) {
            return type == Type.UINT16 ? 50_000 + counter : 100_000 + counter;
        }
        if (target == long.class || target == Long.class) {
            return type == Type.UNSIGNED_INT32 ? 3_000_000_000L + counter : (1L << 40) + counter;
        }
        if (target == double.class || target == Double.class) {
            return 0.5 + counter;
        }
        if (target == String.class) {
            return "s\u00e4" + counter;
        }
        if (target == Uuid.class) {
            return new Uuid(counter, ~counter);
        }
        byte[] bytes = {(byte) counter, 0, (byte) 0xff};
        if (target == byte[].class) {
            return bytes;
        }
        if (target == ByteBuffer.class) {
            return ByteBuffer.wrap(bytes);
        }
        if (target.getSimpleName().equals("BaseRecords")) {
            // Named by text, for the class has moved between releases.
            String name = target.getPackageName() + ".MemoryRecords";
            return Class.forName(name).getMethod("readableRecords", ByteBuffer.class).invoke(null, ByteBuffer.wrap(bytes));
        }
        throw new IllegalStateException(owner.getClass() + ": no value for " + type + " as " + target);
    }
}
