package io.camhook.benchmarks.kafka;

import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.jspecify.annotations.Nullable;

/**
 * A single broker in KRaft mode, in a process of its own that can be killed and started again on
 * the same data. Listens on the loopback address alone.
 */
public final class KafkaBroker implements AutoCloseable {
  private static final String CLUSTER = "MkU3OEVBNTcwNTJENDM2Qg";
  private static final long START_SECONDS = 120;

  /** Who may use {@link #secureBootstrap}. */
  public static final String USER = "camhook";

  public static final String PASSWORD = "hush-4711-hush";

  private final Path directory;
  private final int port;
  private final int securePort;
  private final Map<String, String> settings = new TreeMap<>();
  private @Nullable Process process;

  private KafkaBroker(Path directory, int port, int securePort) {
    this.directory = directory;
    this.port = port;
    this.securePort = securePort;
  }

  /** Starts a broker with its data in {@code directory}. */
  public static KafkaBroker start(Path directory) throws IOException, InterruptedException {
    return start(directory, Map.of());
  }

  /** The same with further settings of the broker. */
  public static KafkaBroker start(Path directory, Map<String, String> more)
      throws IOException, InterruptedException {
    Files.createDirectories(directory);
    int port = freePort();
    KafkaBroker broker = new KafkaBroker(directory, port, freePort());
    broker.settings.putAll(
        Map.of(
            "process.roles", "broker,controller",
            "node.id", "1",
            "controller.listener.names", "CONTROLLER",
            "offsets.topic.replication.factor", "1",
            "offsets.topic.num.partitions", "4",
            "transaction.state.log.replication.factor", "1",
            "transaction.state.log.min.isr", "1",
            "group.initial.rebalance.delay.ms", "0",
            "log.dirs", directory.resolve("data").toString()));
    int controller = freePort();
    broker.settings.put(
        "listeners",
        "PLAINTEXT://127.0.0.1:%d,SASL_SSL://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d"
            .formatted(port, broker.securePort, controller));
    broker.settings.put(
        "advertised.listeners",
        "PLAINTEXT://127.0.0.1:%d,SASL_SSL://127.0.0.1:%d".formatted(port, broker.securePort));
    broker.secure();
    broker.settings.put("controller.quorum.voters", "1@127.0.0.1:" + controller);
    broker.settings.putAll(more);
    Files.write(
        broker.file(),
        broker.settings.entrySet().stream()
            .map(each -> each.getKey() + "=" + each.getValue())
            .toList());
    List<String> format = broker.command("kafka.tools.StorageTool");
    format.addAll(List.of("format", "-t", CLUSTER, "-c", broker.file().toString()));
    Process formatting =
        new ProcessBuilder(format)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("format.txt").toFile())
            .start();
    if (formatting.waitFor() != 0) {
      throw new IOException("format: " + Files.readString(directory.resolve("format.txt")));
    }
    broker.start();
    return broker;
  }

  /** A listener with TLS and passwords, and a certificate of its own. */
  private void secure() throws IOException, InterruptedException {
    Path keys = directory.resolve("keys.p12");
    keytool(
        "-genkeypair",
        "-alias",
        "broker",
        "-keyalg",
        "EC",
        "-dname",
        "CN=127.0.0.1",
        "-ext",
        "san=ip:127.0.0.1",
        "-storetype",
        "PKCS12",
        "-keystore",
        keys.toString(),
        "-storepass",
        "store-secret");
    keytool(
        "-exportcert",
        "-rfc",
        "-alias",
        "broker",
        "-keystore",
        keys.toString(),
        "-storepass",
        "store-secret",
        "-file",
        certificate().toString());
    settings.putAll(
        Map.of(
            "listener.security.protocol.map",
            "PLAINTEXT:PLAINTEXT,SASL_SSL:SASL_SSL,CONTROLLER:PLAINTEXT",
            "sasl.enabled.mechanisms",
            "PLAIN",
            "listener.name.sasl_ssl.plain.sasl.jaas.config",
            "org.apache.kafka.common.security.plain.PlainLoginModule required user_%s=\"%s\";"
                .formatted(USER, PASSWORD),
            "ssl.keystore.location",
            keys.toString(),
            "ssl.keystore.type",
            "PKCS12",
            "ssl.keystore.password",
            "store-secret"));
  }

  private void keytool(String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "keytool").toString());
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("keytool.txt").toFile())
            .start();
    if (process.waitFor() != 0) {
      throw new IOException("keytool: " + Files.readString(directory.resolve("keytool.txt")));
    }
  }

  /** The certificate for clients of {@link #secureBootstrap}, as PEM. */
  public Path certificate() {
    return directory.resolve("broker.pem");
  }

  /** The address that requires TLS and a password. */
  public String secureBootstrap() {
    return "127.0.0.1:" + securePort;
  }

  private Path file() {
    return directory.resolve("server.properties");
  }

  private List<String> command(String main) {
    String classPath =
        Stream.of(System.getProperty("java.class.path").split(java.io.File.pathSeparator))
            .filter(each -> !each.contains("slf4j-simple")) // it would log without end
            .collect(Collectors.joining(java.io.File.pathSeparator));
    return new ArrayList<>(
        List.of(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "-Xmx384m",
            "-XX:+UseSerialGC",
            "-XX:TieredStopAtLevel=1",
            "-cp",
            classPath,
            main));
  }

  /** Starts the broker again after {@link #kill}; waits until it takes connections. */
  public void start() throws IOException, InterruptedException {
    List<String> command = command("kafka.Kafka");
    command.add(file().toString());
    Process started =
        new ProcessBuilder(command)
            .redirectErrorStream(true)
            .redirectOutput(directory.resolve("broker.txt").toFile())
            .start();
    process = started;
    Runtime.getRuntime().addShutdownHook(new Thread(started::destroyForcibly));
    long until = System.nanoTime() + TimeUnit.SECONDS.toNanos(START_SECONDS);
    while (!takesConnections()) {
      if (!started.isAlive() || System.nanoTime() - until > 0) {
        started.destroyForcibly();
        throw new IOException("no broker: " + Files.readString(directory.resolve("broker.txt")));
      }
      Thread.sleep(50);
    }
  }

  private boolean takesConnections() {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress("127.0.0.1", port), 500);
      return true;
    } catch (IOException e) {
      return false;
    }
  }

  private static int freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0)) {
      return socket.getLocalPort();
    }
  }

  /** Creates a topic. */
  public void topic(String name, int partitions, Map<String, String> configuration) {
    try (Admin admin = Admin.create(Map.of("bootstrap.servers", bootstrap()))) {
      admin
          .createTopics(List.of(new NewTopic(name, partitions, (short) 1).configs(configuration)))
          .all()
          .get(60, TimeUnit.SECONDS);
    } catch (Exception e) {
      throw new IllegalStateException("topic " + name + " could not be made", e);
    }
  }

  public String bootstrap() {
    return "127.0.0.1:" + port;
  }

  /** kill -9. */
  public void kill() throws InterruptedException {
    if (process != null) {
      process.destroyForcibly().waitFor();
    }
  }

  /** kill -STOP: connections stay, and nothing is answered. */
  public void freeze() throws IOException, InterruptedException {
    signal("-STOP");
  }

  /** kill -CONT. */
  public void thaw() throws IOException, InterruptedException {
    signal("-CONT");
  }

  private void signal(String signal) throws IOException, InterruptedException {
    if (process != null) {
      new ProcessBuilder("kill", signal, Long.toString(process.pid())).start().waitFor();
    }
  }

  @Override
  public void close() {
    if (process != null) {
      process.destroyForcibly();
    }
  }
}
