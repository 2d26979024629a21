package io.camhook.benchmarks;

import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.LambdaBlock;
import ai.djl.training.ParameterStore;
import io.camhook.Hooks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Warmup;
import org.openjdk.jmh.profile.GCProfiler;
import org.openjdk.jmh.results.Result;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.RunnerException;
import org.openjdk.jmh.runner.options.ChainedOptionsBuilder;
import org.openjdk.jmh.runner.options.OptionsBuilder;

/**
 * The agent's cost for a forward call that it does not capture: a block that returns its input, in
 * a JVM without the agent; in one whose configuration names another model, so that the difference
 * is the woven code and nothing else; and in one with a forward hook that does nothing.
 */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class WovenForward {
  private static final String HOOKED = "camhook.benchmark.hooked";

  private final Block block = new LambdaBlock(list -> list, "identity");
  private final ParameterStore parameters = new ParameterStore();
  private final NDList input = new NDList();

  /** Registers a hook that does nothing in the JVM that measures one. */
  @Setup
  public void register() {
    if (Boolean.getBoolean(HOOKED)) {
      Hooks.registerForwardHook(
          block, (Block module, String path, NDList in, @Nullable NDList out) -> null);
    }
  }

  /** One forward call of a block that returns its input. */
  @Benchmark
  public NDList forward() {
    return block.forward(parameters, input, false);
  }

  public static void main(String[] arguments) throws RunnerException, IOException {
    Path config = Files.createTempFile("camhook", ".yaml");
    Path captures = Files.createTempDirectory("captures");
    Files.writeString(
        config,
        """
        version: 1
        models:
          - name: another-model
            layers: [auto]
            capture: [activation, gradient]
            target: top1
        output:
          directory: %s
        """
            .formatted(captures));
    Map<String, Double> plain = run();
    String agent = "-javaagent:" + System.getProperty("camhook.agent.jar") + "=" + config;
    Map<String, Double> woven = run(agent);
    Map<String, Double> hooked = run(agent, "-D" + HOOKED + "=true");
    Files.delete(config);
    Verdict verdict = new Verdict();
    Verdict.note(value(plain, "forward"), "ns per forward without the agent");
    verdict.atMost(
        1, value(woven, "forward") - value(plain, "forward"), "ns more per forward with the agent");
    verdict.atMost(
        0,
        Math.rint(value(woven, "gc.alloc.rate.norm") - value(plain, "gc.alloc.rate.norm")),
        "B more per forward with the agent");
    verdict.atMost(
        200,
        value(hooked, "forward") - value(plain, "forward"),
        "ns more per forward with a forward hook that does nothing");
    Verdict.note(value(hooked, "gc.alloc.rate.norm"), "B per forward with that hook");
    verdict.exit();
  }

  private static Map<String, Double> run(String... jvmArguments) throws RunnerException {
    ChainedOptionsBuilder options =
        new OptionsBuilder()
            .include(WovenForward.class.getName())
            .addProfiler(GCProfiler.class)
            .jvmArgsAppend(jvmArguments);
    Map<String, Double> values = new TreeMap<>();
    for (RunResult result : new Runner(options.build()).run()) {
      values.put("forward", result.getPrimaryResult().getScore());
      for (Map.Entry<String, Result> secondary : secondary(result).entrySet()) {
        values.put(secondary.getKey(), secondary.getValue().getScore());
      }
    }
    return values;
  }

  @SuppressWarnings("rawtypes") // JMH's own signature
  private static Map<String, Result> secondary(RunResult result) {
    return result.getSecondaryResults();
  }

  private static double value(Map<String, Double> values, String name) {
    Double value = values.get(name);
    if (value == null) {
      throw new IllegalStateException("JMH did not report " + name + " but " + values.keySet());
    }
    return value;
  }
}
