package io.camhook.djl.archive;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import ai.djl.MalformedModelException;
import ai.djl.Model;
import ai.djl.engine.EngineException;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.ndarray.types.Shape;
import ai.djl.pytorch.engine.PtNDManager;
import ai.djl.pytorch.engine.PtSymbolBlock;
import ai.djl.pytorch.jni.JniUtils;
import ai.djl.training.ParameterStore;
import io.camhook.config.CamhookConfig;
import io.camhook.config.CamhookConfig.Target;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.EventLog;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.KeptLog;
import io.camhook.djl.model.ScriptPlan;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.Set;
import org.junit.jupiter.api.Test;

/**
 * An engine that refuses the instrumented copy: the copy is damaged here between the two halves of
 * the woven code around DJL's call. (In the agent's tests libtorch itself refuses copies.)
 */
class ScriptLoadsTest {
  private static final Path GAP_LINEAR =
      Path.of("src/test/resources/torchscript/gap_linear.traced.pt");
  private static final byte[] SPOILT = "no archive".getBytes(StandardCharsets.UTF_8);

  private final List<String> messages = new ArrayList<>();
  private final List<Throwable> causes = new ArrayList<>();
  private final EventLog log = new KeptLog(messages, causes);
  private final CamhookConfig.Model entry =
      new CamhookConfig.Model(
          "net",
          List.of("features"),
          Set.of(), // the copy has methods for hooks alone, so there is no copy with less
          new Target(Target.Kind.NONE, 0, -1, null),
          null,
          List.of(),
          null);
  private final ScriptLoads loads =
      new ScriptLoads(names -> entry, List.of(), false, new Failures(log), log);

  @Test
  void file_should_be_loaded_as_it_is() throws Exception {
    try (Model model = Model.newInstance("net", "PyTorch")) {
      PtNDManager manager = (PtNDManager) model.getNDManager();
      Object[] arguments = {manager, GAP_LINEAR, false, new String[0], new String[0], false};
      BlockCall call = begin(model, manager, arguments);
      Path copy = (Path) arguments[1];
      assertThat(copy).isNotEqualTo(GAP_LINEAR);
      Files.write(copy, SPOILT);
      Throwable refused =
          catchThrowableOfType(
              EngineException.class,
              () ->
                  JniUtils.loadModule(
                      manager, copy, false, new String[0], new String[0], (Boolean) arguments[5]));
      PtSymbolBlock block = (PtSymbolBlock) Objects.requireNonNull(call.exit(null, refused));
      check(call, block, refused, manager);
      assertThat(copy).doesNotExist();
    }
  }

  @Test
  void stream_should_be_loaded_as_it_is() throws Exception {
    try (Model model = Model.newInstance("net", "PyTorch");
        InputStream stream = Files.newInputStream(GAP_LINEAR)) {
      PtNDManager manager = (PtNDManager) model.getNDManager();
      Object[] arguments = {manager, stream, false, false};
      BlockCall call = begin(model, manager, arguments);
      Throwable refused =
          catchThrowableOfType(
              EngineException.class,
              () -> JniUtils.loadModule(manager, new ByteArrayInputStream(SPOILT), false, false));
      PtSymbolBlock block = (PtSymbolBlock) Objects.requireNonNull(call.exit(null, refused));
      check(call, block, refused, manager);
    }
  }

  @Test
  void parameters_should_be_loaded_as_they_are() throws Exception {
    try (Model model = Model.newInstance("net", "PyTorch")) {
      PtNDManager manager = (PtNDManager) model.getNDManager();
      PtSymbolBlock block = new PtSymbolBlock(manager);
      Object[] arguments = {manager, parameters(1)};
      BlockCall call = begin(model, block, arguments);
      Throwable refused = new EngineException("the copy is refused");
      assertThat(call.exit(block, refused)).isSameAs(block);
      check(call, block, refused, manager);
    }
  }

  @Test
  void archive_that_does_not_load_without_camhook_either_should_fail_as_it_does() throws Exception {
    try (Model model = Model.newInstance("net", "PyTorch")) {
      PtNDManager manager = (PtNDManager) model.getNDManager();
      PtSymbolBlock block = new PtSymbolBlock(manager);
      BlockCall call = begin(model, block, new Object[] {manager, parameters(7)});
      assertThatThrownBy(() -> call.exit(block, new EngineException("the copy is refused")))
          .isInstanceOf(MalformedModelException.class)
          .hasMessage("Unsupported encoding version: 7");
      assertThat(call.recovered()).isFalse();
      assertThat(messages).isEmpty();
    }
  }

  private BlockCall begin(Model model, Object subject, Object[] arguments) {
    try (var loading = loads.loading(model)) {
      assertThat(loading).isNotNull();
      return Objects.requireNonNull(loads.archive(subject, arguments));
    }
  }

  private void check(BlockCall call, PtSymbolBlock block, Throwable refused, PtNDManager manager) {
    assertThat(call.recovered()).isTrue();
    assertThat(messages)
        .containsExactly(
            "model net is loaded without hooks: the engine does not take the instrumented archive: "
                + refused.getMessage());
    assertThat(causes).isEmpty();
    assertThat(JniUtils.getMethodNames(block)).noneMatch(name -> name.startsWith("camhook"));
    ScriptPlan plan = Objects.requireNonNull(loads.planOf(block));
    assertThat(plan.taps()).isNull();
    NDArray input = manager.ones(new Shape(1, 3, 16, 16));
    NDList output = block.forward(new ParameterStore(manager, false), new NDList(input), false);
    assertThat(output.head().getShape()).isEqualTo(new Shape(1, 8));
  }

  private static DataInputStream parameters(int version) throws Exception {
    byte[] archive = Files.readAllBytes(GAP_LINEAR);
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (DataOutputStream out = new DataOutputStream(bytes)) {
      out.writeByte(version);
      out.writeLong(archive.length);
      out.write(archive);
    }
    return new DataInputStream(new ByteArrayInputStream(bytes.toByteArray()));
  }
}
