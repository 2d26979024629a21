package io.camhook.cli;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.TimeUnit;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/** A sample program in a process of its own, with the agent attached. */
final class SampleProgram {
  /** The available networks, and how the configuration finds their layers. */
  enum Network {
    /** DJL blocks in a {@code Predictor}. */
    SHAPES("layers: [auto]            # the last layer with a spatial output"),
    /** Plain Java without any library, with its own forward and backward methods. */
    PLAIN(
        """
        class: io.camhook.samples.plainjava.*Layer
        root: io.camhook.samples.plainjava.PlainNet
        forward: forward
        backward: backward
        shape: outputShape
        layers: [auto]            # the last layer with a spatial output\
        """),
    /** An {@code .onnx} model in onnxruntime. */
    ONNX("layers: [auto]            # the last layer with a spatial output");

    private final String layers;

    Network(String layers) {
      this.layers = layers;
    }

    @Override
    public String toString() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  private static final String SHAPES = "io.camhook.samples.shapes.ShapesDemo";
  private static final String PLAIN = "io.camhook.samples.plainjava.PlainDemo";
  private static final String ONNX = "io.camhook.samples.onnx.OnnxDemo";
  private static final String LABELS = "io/camhook/samples/shapes/synset.txt";

  private final Network network;
  private final Path agent;
  private final Path jar;
  private final String classPath;

  private SampleProgram(Network network, Installation installation) {
    this.network = network;
    this.agent = installation.agentJar();
    this.jar = installation.samplesJar();
    this.classPath = installation.sampleClassPath();
  }

  /**
   * Finds the sample beside this command.
   *
   * @throws CommandFailure if it is not built
   */
  static SampleProgram find(Network network) {
    Installation installation = Installation.find();
    List<Path> all =
        List.of(installation.agentJar(), installation.samplesJar(), installation.sampleLibraries());
    for (Path needed : all) {
      if (!Files.exists(needed)) {
        throw new CommandFailure(needed + " is missing; build it with: mvn -q -DskipTests package");
      }
    }
    return new SampleProgram(network, installation);
  }

  /** Writes {@code synset.txt} and {@code camhook.yaml} for it into {@code directory}. */
  void configure(Path directory) throws IOException {
    try (ZipFile zip = new ZipFile(jar.toFile())) {
      ZipEntry labels = zip.getEntry(LABELS);
      if (labels == null) {
        throw new CommandFailure(jar + ": expected the class names in " + LABELS + ", found none");
      }
      Files.write(directory.resolve("synset.txt"), zip.getInputStream(labels).readAllBytes());
    }
    Files.writeString(
        directory.resolve("camhook.yaml"),
        """
        version: 1
        models:
          - name: %s
        %s    capture: [image, activation, gradient, output]
            target: top2              # maps of the two most probable classes
            labels: synset.txt
        output:
          directory: recording
        """
            .formatted(
                network == Network.ONNX ? Network.SHAPES : network, network.layers.indent(4)));
  }

  /**
   * Runs it in {@code directory}; what it prints goes to {@code sample.log} there.
   *
   * @return its last line
   * @throws CommandFailure if it fails
   */
  String run(Path directory, int pictures, int pairs) throws IOException, InterruptedException {
    List<String> shapes =
        List.of(
            "-cp",
            classPath,
            SHAPES,
            "--pictures",
            "pictures",
            "--count",
            String.valueOf(pictures),
            "--pairs",
            String.valueOf(pairs));
    if (network == Network.SHAPES) {
      return java(directory, true, shapes);
    }
    java(directory, false, shapes); // draws the pictures
    return java(
        directory,
        true,
        network == Network.ONNX
            ? List.of("-cp", classPath, ONNX, "pictures")
            : List.of("-cp", jar.toAbsolutePath().toString(), PLAIN, "pictures"));
  }

  private String java(Path directory, boolean hooked, List<String> program)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    if (hooked) {
      command.add("-javaagent:" + agent.toAbsolutePath() + "=camhook.yaml");
    }
    command.addAll(List.of("-Dai.djl.offline=true", "-DOPT_OUT_TRACKING=true"));
    command.addAll(program);
    Path log = directory.resolve("sample.log");
    Process process =
        new ProcessBuilder(command)
            .directory(directory.toFile())
            .redirectErrorStream(true)
            .redirectOutput(log.toFile())
            .start();
    process.getOutputStream().close();
    try {
      if (!process.waitFor(10, TimeUnit.MINUTES)) {
        throw new CommandFailure("the sample program did not end within 10 minutes; see " + log);
      }
    } finally {
      process.destroyForcibly();
    }
    List<String> lines = Files.readAllLines(log).stream().filter(line -> !line.isBlank()).toList();
    String last = lines.isEmpty() ? "" : lines.get(lines.size() - 1);
    if (process.exitValue() != 0) {
      throw new CommandFailure(
          "the sample program ended with status %d; see %s: %s"
              .formatted(process.exitValue(), log, last));
    }
    return lines.stream().filter(line -> line.contains("named correctly")).findFirst().orElse(last);
  }
}
