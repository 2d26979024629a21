package io.camhook.djl;

import ai.djl.Model;
import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDList;
import ai.djl.nn.Block;
import ai.djl.nn.Parameter;
import ai.djl.pytorch.engine.PtNDArray;
import ai.djl.pytorch.engine.PtSymbolBlock;
import io.camhook.capture.Admission;
import io.camhook.capture.Sampler;
import io.camhook.config.CamhookConfig;
import io.camhook.config.Condition;
import io.camhook.dispatch.BlockCall;
import io.camhook.dispatch.Failures;
import io.camhook.dispatch.HookEntry;
import io.camhook.dispatch.HookList;
import io.camhook.dispatch.HookTable;
import io.camhook.dispatch.ModuleHooks;
import io.camhook.dispatch.Request;
import io.camhook.djl.archive.ScriptFile;
import io.camhook.djl.archive.ScriptLoads;
import io.camhook.djl.autograd.AutogradGateway;
import io.camhook.djl.autograd.KernelCheck;
import io.camhook.djl.autograd.Tensors;
import io.camhook.djl.backward.GradPoints;
import io.camhook.djl.backward.HookedBackward;
import io.camhook.djl.backward.HookedGrad;
import io.camhook.djl.hooks.ConfiguredHooks;
import io.camhook.djl.hooks.HookedCall;
import io.camhook.djl.hooks.Registrations;
import io.camhook.djl.hooks.ScriptHooks;
import io.camhook.djl.memory.Owners;
import io.camhook.djl.model.BlockListing;
import io.camhook.djl.model.BlockTree;
import io.camhook.djl.model.InnerArchive;
import io.camhook.djl.model.ModelPlan;
import io.camhook.djl.model.ScriptModules;
import io.camhook.djl.model.ScriptPlan;
import io.camhook.djl.pass.HookedCapture;
import io.camhook.djl.pass.PassWatch;
import io.camhook.djl.pass.ThreadWork;
import io.camhook.djl.request.HeapPictures;
import io.camhook.djl.request.Models;
import io.camhook.djl.request.OutsideRequest;
import io.camhook.djl.request.SampledRequest;
import io.camhook.djl.session.BlockSession;
import io.camhook.djl.session.ScriptSession;
import io.camhook.engine.AdapterContext;
import io.camhook.engine.EngineAdapter;
import io.camhook.engine.ModelSession;
import io.camhook.engine.PredictorInputs;
import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModuleDescription;
import io.camhook.naming.ModulePath;
import io.camhook.naming.Nearest;
import io.camhook.torchscript.TemporaryCopies;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * The adapter to one copy of DJL. The agent creates it in a class loader below that of the
 * application's DJL; thread-safe.
 */
public final class DjlAdapter implements EngineAdapter {
  private final Owners owners;
  private final GradPoints points = GradPoints.all();
  private volatile @Nullable Started started;

  /** State that {@link #start} sets up. */
  private record Started(
      AdapterContext context,
      ConfiguredHooks hooks,
      Models models,
      ScriptHooks inside,
      Sampler sampler,
      Failures failures) {}

  /**
   * Makes an adapter that does nothing yet.
   *
   * @throws NoSuchFieldException if this DJL is not of the kind the adapter was written for
   */
  public DjlAdapter() throws NoSuchFieldException {
    owners = new Owners();
  }

  @Override
  public void start(AdapterContext context) {
    CamhookConfig config = context.config();
    Failures failures = context.failures();
    ConfiguredHooks hooks =
        new ConfiguredHooks(context.watches(), config.dryRun(), failures, context.log());
    started =
        new Started(
            context,
            hooks,
            new Models(config, context.recorder(), hooks, failures, context.log()),
            new ScriptHooks(points, failures),
            new Sampler(config.sampling()),
            failures);
    try {
      TemporaryCopies.sweep();
    } catch (IOException | RuntimeException e) {
      failures.add("copies of models that a killed process has left could not be deleted", e);
    }
  }

  @Override
  public void close() {
    Started before = started;
    started = null;
    if (before != null) {
      before.hooks().remove();
    }
    points.clear();
  }

  @Override
  public void release() {
    KernelCheck.stop();
    AutogradGateway.release();
  }

  @Override
  public void opened(Object owner) {
    Started now = started;
    if (now == null) {
      return;
    }
    try {
      Model model = owners.modelOf(owner);
      ModelPlan plan = isOnnx(model) ? null : now.models().planOf(model);
      if (plan != null && now.context().config().dryRun()) {
        now.context()
            .log()
            .info("dry run: model %s would be hooked at %s".formatted(plan.label(), plan.layers()));
      }
    } catch (Throwable e) {
      now.failures().add("a model could not be matched with the configuration", e);
    }
  }

  @Override
  public @Nullable Request loading(Object model) {
    Started now = started;
    return now == null ? null : now.models().scripts().loading((Model) model);
  }

  @Override
  public @Nullable BlockCall archive(Object subject, Object[] arguments) {
    Started now = started;
    return now == null ? null : now.models().scripts().archive(subject, arguments);
  }

  @Override
  public @Nullable Object run(Object block, Object inputs, boolean training) {
    ThreadWork work = ThreadWork.current();
    PassWatch watch = work == null ? null : work.watch;
    PtSymbolBlock module = (PtSymbolBlock) block;
    NDList captured = watch == null ? null : watch.run(module, (NDList) inputs, training);
    return captured != null || (watch != null && watch.isReplaying())
        ? captured
        : runHooked(module, (NDList) inputs, training, watch);
  }

  private @Nullable NDList runHooked(
      PtSymbolBlock module, NDList inputs, boolean training, @Nullable PassWatch watch) {
    Started now = started;
    if (now == null || HookTable.isEmpty()) {
      return null;
    }
    ScriptPlan plan = now.models().scripts().planOf(module);
    HookedCapture capture = watch == null ? null : watch.hookedCapture(module);
    return plan == null ? null : now.inside().run(plan.inside(), module, inputs, training, capture);
  }

  /** Whether DJL runs the model with onnxruntime, which has its own adapter. */
  private static boolean isOnnx(Model model) {
    return model.getClass().getName().startsWith("ai.djl.onnxruntime.");
  }

  @Override
  public @Nullable Request request(Object owner, @Nullable List<?> inputs) {
    Started now = started;
    if (now != null && inputs != null && isOnnx(owners.modelOf(owner))) {
      return PredictorInputs.begin(() -> HeapPictures.of(inputs));
    }
    if (now == null || !now.sampler().drawn() || now.context().config().dryRun()) {
      return null;
    }
    ThreadWork work = ThreadWork.current();
    if (work != null && work.watch != null) {
      return null; // inside another request, whose capture is in progress
    }
    try {
      Model model = owners.modelOf(owner);
      ModelPlan plan = now.models().planOf(model);
      if (plan == null || !plan.capturesAnything() || !now.sampler().admitted()) {
        return null;
      }
      Admission admission = now.context().recorder().admit();
      return admission == null ? null : begin(now, plan, model.getBlock(), inputs, admission);
    } catch (Throwable e) {
      now.failures().add("a request could not be captured", e);
      return null;
    }
  }

  private static Request begin(
      Started now, ModelPlan plan, Block root, @Nullable List<?> inputs, Admission admission) {
    Condition when = now.context().config().sampling().when();
    try {
      if (plan.isOutside()) {
        OutsideRequest outside =
            new OutsideRequest(
                plan, root, when, admission, now.context().recorder(), now.failures());
        ThreadWork.begin().watch = outside;
        return outside;
      }
      now.models().captured(plan, root);
      SampledRequest request =
          new SampledRequest(
              plan,
              root,
              inputs,
              now.context().config().limits().exact(),
              when,
              admission,
              now.models(),
              now.context().recorder(),
              now.failures(),
              now.context().log());
      ThreadWork.begin().watch = request;
      KernelCheck.start(now.context().log());
      return request;
    } catch (Throwable e) {
      admission.close();
      throw e;
    }
  }

  @Override
  public @Nullable BlockCall enter(Object object, Object[] arguments, Class<?> declares) {
    Block block = (Block) object;
    ThreadWork work = ThreadWork.current();
    boolean hooks = !HookTable.isEmpty();
    if (work == null) {
      if (!hooks) {
        return null;
      }
      work = ThreadWork.begin();
    }
    PassWatch watch = work.watch;
    if (work.isPartOfInnermost(block, declares)
        || (watch != null && watch.isReplaying() && work.isInnermost(block))) {
      return null;
    }
    BlockCall capture = watch == null ? null : watch.enter(block, arguments);
    if (!hooks) {
      return capture;
    }
    work.push(block, declares);
    ModuleHooks own = HookTable.of(block);
    if (own != null || HookTable.hasGlobal()) {
      return HookedCall.begin(work, block, own, arguments, capture, points);
    }
    return capture == null ? work.plainCall() : work.plainCall(capture);
  }

  @Override
  public boolean backward(Object target, Object gradient, boolean keepGraph, boolean createGraph) {
    return HookedBackward.run(
        points, (PtNDArray) target, (PtNDArray) gradient, keepGraph, createGraph);
  }

  @Override
  public List<Object> modules(Object model, String layers) {
    Block root = root(model);
    ScriptModules inside = root instanceof PtSymbolBlock ? inside(root) : null;
    List<BlockTree.Module> blocks = BlockTree.of(root);
    Started now = started;
    List<InnerArchive> archives = now == null ? List.of() : now.models().inner(blocks);
    List<BlockTree.Module> modules =
        inside == null
            ? InnerArchive.withInner(blocks, archives, layers)
            : inside.tree(root, layers);
    List<ModulePath> paths = modules.stream().map(BlockTree.Module::path).toList();
    List<ModulePath> selected = LayerPattern.of(layers).select(paths);
    String refusal =
        inside == null ? InnerArchive.refusal(layers, archives) : inside.refusal(layers);
    if (refusal != null && selected.isEmpty()) {
      throw new IllegalArgumentException(refusal);
    }
    if (selected.isEmpty()) {
      throw new IllegalArgumentException(
          "'%s' matches none of the %d %s of %s; closest: %s"
              .formatted(
                  layers,
                  modules.stream().map(BlockTree.Module::block).distinct().count(),
                  kind(inside, layers),
                  root.getClass().getSimpleName(),
                  Nearest.to(layers, paths.stream().map(ModulePath::toString).toList(), 3)));
    }
    Set<Block> found = Collections.newSetFromMap(new IdentityHashMap<>());
    return modules.stream()
        .filter(module -> selected.contains(module.path()) && found.add(module.block()))
        .<Object>map(BlockTree.Module::block)
        .toList();
  }

  private static String kind(@Nullable ScriptModules inside, String layers) {
    return inside != null && LayerPattern.of(layers).isInside() ? "operators" : "modules";
  }

  /** The modules inside a TorchScript model. */
  private ScriptModules inside(Block root) {
    Started now = started;
    ScriptPlan plan = now == null ? null : now.models().scripts().planOf(root);
    return plan == null
        ? ScriptModules.none(
            "only '.', its input and output, takes hooks, because the model was loaded as it came;"
                + " name the model or its file in 'models' of camhook.yaml before it is loaded, and"
                + " hooks can look inside")
        : plan.inside();
  }

  @Override
  public void checkHook(Object module, HookEntry entry) {
    Registrations.check(module, entry);
  }

  @Override
  public Runnable tensorHook(Object tensor, HookEntry entry) {
    NDArray array = requiringGrad("a tensor hook needs", tensor);
    HookList hooks =
        Tensors.isLeaf(array) ? points.leaf(array, entry) : points.tensor(array, entry);
    return removal(hooks, entry);
  }

  private static PtNDArray requiringGrad(String who, Object tensor) {
    NDArray array = (NDArray) tensor;
    if (!Tensors.isFloating(array) || !Tensors.requiresGrad(array)) {
      throw new IllegalStateException(
          "%s a tensor that requires a gradient; the one of shape %s does not"
              .formatted(who, array.getShape()));
    }
    return (PtNDArray) array;
  }

  @Override
  public void retainGrad(Object tensor) {
    NDArray array = requiringGrad("retainGrad needs", tensor);
    if (!Tensors.isLeaf(array)) {
      points.retainGrad(array);
    }
  }

  @Override
  public List<@Nullable Object> grad(
      Object output, @Nullable Object gradOutput, List<?> inputs, boolean keepGraph) {
    PtNDArray from = requiringGrad("grad needs, as its output,", output);
    List<NDArray> arrays = new ArrayList<>();
    inputs.forEach(input -> arrays.add(requiringGrad("grad needs, as an input,", input)));
    try (NDArray ones =
        gradOutput == null
            ? from.getManager().ones(from.getShape(), from.getDataType())
            : Tensors.ownAlias((NDArray) gradOutput)) {
      return new ArrayList<>(HookedGrad.grad(points, from, (PtNDArray) ones, arrays, keepGraph));
    }
  }

  @Override
  public Runnable postAccumulateHook(Object leaf, HookEntry entry) {
    NDArray array = leaf instanceof Parameter parameter ? parameter.getArray() : (NDArray) leaf;
    if (!Tensors.isLeaf(array)) {
      throw new IllegalStateException(
          "a post-accumulate-gradient hook needs a leaf that requires a gradient, found "
              + (Tensors.requiresGrad(array) ? "an operator's result" : "one without")
              + " of shape "
              + array.getShape());
    }
    return removal(points.afterwards(array, entry), entry);
  }

  private Runnable removal(HookList hooks, HookEntry entry) {
    WeakReference<HookList> list = new WeakReference<>(hooks);
    WeakReference<HookEntry> which = new WeakReference<>(entry);
    return () -> {
      HookList from = list.get();
      HookEntry added = which.get();
      if (from != null && added != null) {
        from.remove(added);
        points.hookRemoved();
      }
    };
  }

  @Override
  public ModelSession open(Path file, Collection<String> paths) throws IOException {
    Started now = started;
    if (now == null) {
      throw new IllegalStateException("the adapter is closed");
    }
    ScriptLoads loads = now.models().scripts();
    return new ScriptSession(new ScriptFile(file, loads, now.context().woven()), paths);
  }

  @Override
  public ModelSession attach(Object model, Collection<String> paths) {
    return new BlockSession(root(model), paths);
  }

  @Override
  public List<ModuleDescription> describe(Object model) {
    return BlockListing.of(root(model));
  }

  private static Block root(Object model) {
    return model instanceof Model owner ? owner.getBlock() : (Block) model;
  }

  /** Failures of camhook itself so far. */
  public long failures() {
    Started now = started;
    return now == null ? 0 : now.failures().count();
  }
}
