package io.camhook.torchscript;

import io.camhook.naming.LayerPattern;
import io.camhook.naming.ModelArgument;
import io.camhook.naming.ModuleDescription;
import io.camhook.torchscript.archive.ArchiveCopy;
import io.camhook.torchscript.archive.ArchiveException;
import io.camhook.torchscript.archive.ModuleNode;
import io.camhook.torchscript.archive.ModuleTree;
import io.camhook.torchscript.archive.PickleReader;
import io.camhook.torchscript.archive.PythonNames;
import io.camhook.torchscript.archive.StoredValues;
import io.camhook.torchscript.archive.WeightShuffle;
import io.camhook.torchscript.archive.ZipDirectory;
import io.camhook.torchscript.archive.ZipEntryRecord;
import io.camhook.torchscript.flow.AutoLayer;
import io.camhook.torchscript.flow.CallPaths;
import io.camhook.torchscript.flow.CallSite;
import io.camhook.torchscript.flow.InlinedModules;
import io.camhook.torchscript.flow.MethodContext;
import io.camhook.torchscript.flow.OperatorNames;
import io.camhook.torchscript.flow.OperatorWeights;
import io.camhook.torchscript.flow.ProgramWalker;
import io.camhook.torchscript.flow.StateWrites;
import io.camhook.torchscript.source.Expr;
import io.camhook.torchscript.source.Parser;
import io.camhook.torchscript.source.Printer;
import io.camhook.torchscript.source.SourceException;
import io.camhook.torchscript.source.SourceFile;
import io.camhook.torchscript.source.SourceTree;
import io.camhook.torchscript.source.Stmt;
import io.camhook.torchscript.twin.GuidedArchive;
import io.camhook.torchscript.twin.GuidedRewriter;
import io.camhook.torchscript.twin.HookPlan;
import io.camhook.torchscript.twin.HookRewriter;
import io.camhook.torchscript.twin.HookableArchive;
import io.camhook.torchscript.twin.InstrumentedArchive;
import io.camhook.torchscript.twin.PooledValue;
import io.camhook.torchscript.twin.TapFunctions;
import io.camhook.torchscript.twin.TapRewriter;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.ArrayList;
import java.util.Collection;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;
import org.jspecify.annotations.Nullable;

/**
 * A TorchScript archive ({@code .pt}) as text: lists its modules and writes copies with taps added.
 * Its pickles are read as data and never executed; weights are not read at all. Immutable and safe
 * for concurrent use.
 */
public final class TorchScriptArchive {

  private static final String OF_TORCH = "__torch__.torch.nn.modules.";

  private static final String IN_A_LEAF =
      "it is an operator in the code of a module of torch.nn that calls no other; hook the module,"
          + " or name the operator in camhook.yaml, in 'layers' of the model or of a hook, before"
          + " the model is loaded";

  /**
   * A hundred times the code of the largest models, and still small enough for its parsed form to
   * fit in memory.
   */
  private static final long MAX_CODE = 16L << 20;

  private static final int SHOWN = 6;

  private static final String UNCALLED =
      "forward never calls it in this archive (a trace keeps only what was run, and calls a shared"
          + " module under one of its names; code that torch.jit.fork runs on another thread, and"
          + " modules that a branch selects, are not analysed)";

  private final Path file;
  private final String name;
  private final String folder;
  private final ZipDirectory zip;
  private final SourceTree sources;
  private final ModuleTree modules;
  private final MethodContext root;
  private final boolean flat;
  private final OperatorNames operators;

  private TorchScriptArchive(
      Path file,
      String name,
      String folder,
      ZipDirectory zip,
      SourceTree sources,
      ModuleTree modules,
      MethodContext root)
      throws ArchiveException {
    this.file = file;
    this.name = name;
    this.folder = folder;
    this.zip = zip;
    this.sources = sources;
    this.modules = modules;
    this.root = root;
    this.flat = sites().isEmpty();
    boolean inlined = flat && !modules.root().children().isEmpty();
    this.operators =
        OperatorNames.of(
            root,
            modules,
            flat,
            inlined ? InlinedModules.of(name, sources, modules) : InlinedModules.Found.NONE);
  }

  /**
   * Reads the directory, the code and the module tree of an archive.
   *
   * @throws ArchiveException if it is not a TorchScript archive, is damaged, or contains source
   *     that the parser does not understand
   */
  public static TorchScriptArchive open(Path file) throws IOException {
    try {
      return read(file);
    } catch (StackOverflowError e) {
      throw tooDeep(String.valueOf(file.getFileName()));
    }
  }

  private static ArchiveException tooDeep(String name) {
    return new ArchiveException(
        name
            + ": its code or its data.pkl is nested more deeply than the stack of this thread"
            + " holds; give the JVM a larger one with -Xss");
  }

  private static TorchScriptArchive read(Path file) throws IOException {
    String name = String.valueOf(file.getFileName());
    try (FileChannel channel = FileChannel.open(file, StandardOpenOption.READ)) {
      ZipDirectory zip = ZipDirectory.read(name, channel);
      String folder = folder(name, zip);
      if (zip.entries().containsKey(folder + "model.json")) {
        throw new ArchiveException(
            name
                + ": was saved by torch 1.3 or older (model.json instead of data.pkl); load it and"
                + " save it again with a newer torch");
      }
      SourceTree sources = sources(name, folder, zip);
      ZipEntryRecord pickle = zip.entries().get(folder + "data.pkl");
      if (pickle == null) {
        throw new ArchiveException(name + ": has no data.pkl, so it is not a TorchScript archive");
      }
      Object data = PickleReader.read(name + ": data.pkl", zip.bytes(pickle));
      ModuleTree modules = ModuleTree.read(name, sources, data);
      MethodContext root = ProgramWalker.walk(name, sources, modules);
      TorchScriptArchive archive =
          new TorchScriptArchive(file, name, folder, zip, sources, modules, root);
      ZipEntryRecord constants = zip.entries().get(folder + "constants.pkl");
      if (archive.flat && constants != null) {
        archive.addConstants(PickleReader.read(name + ": constants.pkl", zip.bytes(constants)));
      }
      return archive;
    }
  }

  /** Adds the constants that operators use as weights, which modules would otherwise hold. */
  private void addConstants(@Nullable Object pickled) {
    if (!(pickled instanceof List<?> constants)) {
      return;
    }
    for (CallSite operator : operators.byPath().values()) {
      OperatorWeights.of(operator)
          .forEach(
              (parameter, constant) -> {
                if (constant < constants.size()) {
                  boolean buffer = parameter.startsWith("running_");
                  Object value = constants.get(constant);
                  ModuleTree.addTensor(operator.target(), parameter, value, buffer);
                }
              });
    }
  }

  private static String folder(String name, ZipDirectory zip) throws ArchiveException {
    for (String entry : zip.entries().keySet()) {
      int slash = entry.indexOf('/');
      if (slash > 0) {
        return entry.substring(0, slash + 1);
      }
    }
    throw new ArchiveException(name + ": a zip, but no TorchScript archive (no folder in it)");
  }

  private static SourceTree sources(String name, String folder, ZipDirectory zip)
      throws IOException {
    SourceTree sources = new SourceTree();
    String code = folder + "code/";
    List<ZipEntryRecord> files =
        zip.entries().values().stream()
            .filter(entry -> entry.name().startsWith(code) && entry.name().endsWith(".py"))
            .toList();
    long total = files.stream().mapToLong(ZipEntryRecord::size).sum();
    if (total > MAX_CODE) {
      throw new ArchiveException(
          "%s: code declares %d bytes; at most %d are accepted".formatted(name, total, MAX_CODE));
    }
    for (ZipEntryRecord entry : files) {
      String path = entry.name();
      String text = new String(zip.bytes(entry), StandardCharsets.UTF_8);
      String module = path.substring(code.length(), path.length() - 3).replace('/', '.');
      try {
        List<Stmt> statements = Parser.parse(path.substring(folder.length()), text);
        sources.add(new SourceFile(path, module, text, statements));
      } catch (SourceException e) {
        throw new ArchiveException(
            name + ": source that camhook's parser does not know: " + e.getMessage(), e);
      }
    }
    if (sources.files().isEmpty()) {
      throw new ArchiveException(
          name + ": has no code, so it is not a TorchScript archive (a torch.save checkpoint?)");
    }
    return sources;
  }

  /**
   * Every module in registration order, the root first; a shared module appears once, with its
   * aliases. If the code calls no module, the values of its operators follow, in order of
   * execution.
   */
  public List<ModuleDescription> modules() {
    Map<ModuleNode, Integer> sites = sites();
    sites.merge(root.key().self(), 1, Integer::sum);
    List<ModuleDescription> result = new ArrayList<>();
    for (ModuleNode node : new LinkedHashSet<>(modules.byPath().values())) {
      result.add(
          new ModuleDescription(
              PythonNames.shown(node.path()),
              PythonNames.python(node.type()),
              node.aliases(),
              List.copyOf(node.parameters().values()),
              node.training(),
              sites.getOrDefault(node, 0)));
    }
    if (flat) {
      result.addAll(operators());
    }
    return result;
  }

  /** The values of operators, in order of execution. */
  public List<ModuleDescription> operators() {
    return operators.byPath().values().stream().map(site -> value(site.target())).toList();
  }

  /**
   * What a name or glob of a layer is about: operators in the code of modules, or the modules that
   * are called.
   */
  public List<ModuleDescription> layers(LayerPattern pattern) {
    return pattern.isInside()
        ? operators()
        : modules().stream().filter(module -> module.callSites() > 0).toList();
  }

  private static ModuleDescription value(ModuleNode node) {
    String type = PythonNames.python(node.type());
    List<ModuleDescription.Parameter> parameters = List.copyOf(node.parameters().values());
    return new ModuleDescription(node.path(), type, node.aliases(), parameters, false, 1);
  }

  /**
   * The layer that {@code auto} means, found from the code alone, without an input. If the code
   * calls no modules, it is {@link #pooledPath}, else the last spatial map that the output is
   * computed from and does not merely rearrange.
   *
   * @param output the explained output, by position or key; null for the one that usually holds the
   *     scores
   * @return empty if the output depends on no spatial map or tokens
   */
  public Optional<AutoLayer> auto(@Nullable String output) {
    if (!flat) {
      return Optional.ofNullable(AutoLayer.of(root, output));
    }
    Optional<String> pooled = pooledPath();
    return pooled
        .or(this::normBeforeAttention)
        .or(() -> lastMap(output))
        .map(path -> new AutoLayer(path, null));
  }

  /**
   * For a transformer, the first norm of the last block, as with modules: the last norm before the
   * last attention.
   */
  private Optional<String> normBeforeAttention() {
    String norm = null;
    String softmax = null;
    String found = null;
    for (CallSite site : AutoLayer.completed(root)) {
      if (!site.isOperator()) {
        continue;
      }
      String path = site.target().path();
      switch (path.replaceFirst("#\\d+$", "")) {
        case "layer_norm" -> norm = site.isUnclear() ? norm : path;
        case "scaled_dot_product_attention", "_native_multi_head_attention" -> found = norm;
        case "softmax" -> softmax = norm;
        // the weights go into a product; a softmax at the end of the model does not
        case "matmul", "bmm" -> {
          found = softmax == null ? found : softmax;
          softmax = null;
        }
        default -> {}
      }
    }
    return Optional.ofNullable(found);
  }

  /**
   * If the code calls no modules, the input of the last global pooling that all data passes
   * through. Empty for other archives, and if there is no such pooling.
   */
  public Optional<String> pooledPath() {
    CallSite site = flat ? PooledValue.of(root, new CallPaths(root)) : null;
    return site == null ? Optional.empty() : Optional.of(site.target().path());
  }

  /** The module that looks up the token ids of a text model; empty if there is none. */
  public Optional<String> tokenEmbedding() {
    return Optional.ofNullable(AutoLayer.tokenEmbedding(AutoLayer.completed(root)));
  }

  private Optional<String> lastMap(@Nullable String output) {
    try {
      MethodContext followed = ProgramWalker.walkOperators(name, sources, modules);
      Expr.Call last = AutoLayer.lastMap(followed, output);
      return operators.byPath().entrySet().stream()
          .filter(operator -> operator.getValue().call() == last)
          .map(Map.Entry::getKey)
          .findFirst();
    } catch (ArchiveException e) {
      return Optional.empty(); // too large to follow
    }
  }

  /** The arguments of the root's forward, in order. */
  public List<ModelArgument> arguments() {
    List<Stmt.Parameter> parameters = root.method().parameters();
    return parameters.subList(Math.min(1, parameters.size()), parameters.size()).stream()
        .map(
            parameter ->
                new ModelArgument(
                    parameter.name(),
                    parameter.type() == null ? "Tensor" : Printer.print(parameter.type()),
                    parameter.defaultValue() != null))
        .toList();
  }

  /**
   * The name of the weight of the last linear layer that is called, {@code fc.weight}; empty if the
   * model has none.
   */
  public Optional<String> classifierWeight() {
    String last = null;
    for (ModuleDescription module : modules()) {
      boolean weighs = module.parameters().stream().anyMatch(p -> p.name().equals("weight"));
      if (weighs && module.type().endsWith(".Linear") && module.callSites() > 0) {
        last = module.path().equals(".") ? "weight" : module.path() + ".weight";
      }
    }
    return Optional.ofNullable(last);
  }

  /**
   * The values of a parameter or buffer, little-endian and row-major.
   *
   * @param path module path ({@code .} is the root), aliases allowed
   * @param name of the parameter
   * @return empty if there is none, or if its values are not contiguous
   * @throws ArchiveException if the archive does not contain what it declares
   */
  public Optional<ByteBuffer> values(String path, String name) throws IOException {
    ModuleNode module = modules.byPath().get(path.equals(".") ? "" : path);
    List<CallSite> found = flat && module == null ? operators.find(path) : List.of();
    ModuleNode node = found.isEmpty() ? module : found.get(0).target();
    StoredValues stored = node == null ? null : node.values().get(name);
    if (node == null || stored == null) {
      return Optional.empty();
    }
    ModuleDescription.Parameter parameter = Objects.requireNonNull(node.parameters().get(name));
    try (ZipFile archive = new ZipFile(file.toFile())) {
      String storages = found.isEmpty() ? "data/" : "constants/";
      ZipEntry entry = archive.getEntry(folder + storages + stored.key());
      byte[] bytes = entry == null ? new byte[0] : archive.getInputStream(entry).readAllBytes();
      int width = parameter.bytesPerElement();
      long from = stored.offset() * width;
      long length = parameter.size() * width;
      if (width == 0 || from < 0 || length < 0 || from + length > bytes.length) {
        throw new ArchiveException(
            this.name + ": " + path + "." + name + " is not in the archive as declared");
      }
      ByteBuffer all = ByteBuffer.wrap(bytes);
      return Optional.of(all.slice((int) from, (int) length).order(ByteOrder.LITTLE_ENDIAN));
    }
  }

  /**
   * The name under which a module holds a parameter: {@code fc.weight} for {@code linear.weight} of
   * an inlined archive, else {@code name} itself.
   */
  public String held(String name) {
    int dot = name.lastIndexOf('.');
    List<CallSite> found = flat && dot > 0 ? operators.find(name.substring(0, dot)) : List.of();
    String held =
        found.isEmpty() ? null : OperatorWeights.heldAs(found.get(0), name.substring(dot + 1));
    return held == null ? name : held;
  }

  private static void countSites(
      MethodContext context, Set<MethodContext> seen, Map<ModuleNode, Integer> counts) {
    if (!seen.add(context)) {
      return;
    }
    for (CallSite site : context.sites()) {
      if (site.isForward()) {
        site.candidates().forEach(module -> counts.merge(module, 1, Integer::sum));
      }
      site.callees().forEach(c -> countSites(c, seen, counts));
    }
  }

  /**
   * A copy of the archive, not yet written, in which the named modules are recorded.
   *
   * @param paths module paths ({@code .} is the root), aliases allowed; no globs
   * @throws ArchiveException if a path does not exist or is never called, with the reason
   */
  public InstrumentedArchive instrument(Collection<String> paths) throws ArchiveException {
    try {
      Map<String, List<String>> added = new LinkedHashMap<>();
      TapRewriter rewriter = record(paths, freePrefix(), added);
      return new InstrumentedArchive(copy(added, List.of(rewriter.functions())), rewriter.plan());
    } catch (StackOverflowError e) {
      throw tooDeep(name);
    }
  }

  private TapRewriter record(
      Collection<String> paths, String prefix, Map<String, List<String>> added)
      throws ArchiveException {
    Set<ModuleNode> hooked = new LinkedHashSet<>();
    for (String path : paths) {
      hooked.addAll(find(path));
    }
    TapRewriter rewriter =
        new TapRewriter(sources, root, hooked, classifierWeight().orElse(null), prefix, added);
    rewriter.rewrite();
    return rewriter;
  }

  /** As {@link #hookable(Collection, Collection)}, without more operators. */
  public HookableArchive hookable(Collection<String> paths) throws ArchiveException {
    return hookable(paths, List.of());
  }

  /**
   * Like {@link #instrument}, and hooks can see every module that is called, and every operator
   * except those in the code of torch.nn's own modules, whose value is the module's.
   *
   * @param more operators that hooks can look at wherever they are
   * @throws ArchiveException if a path does not exist or is never called, with the reason
   */
  public HookableArchive hookable(Collection<String> paths, Collection<String> more)
      throws ArchiveException {
    try {
      return withHooks(paths, more);
    } catch (StackOverflowError e) {
      throw tooDeep(name);
    }
  }

  private HookableArchive withHooks(Collection<String> paths, Collection<String> more)
      throws ArchiveException {
    Map<String, List<String>> added = new LinkedHashMap<>();
    String prefix = freePrefix();
    TapRewriter recording = record(paths, prefix, added);
    Set<ModuleNode> named = new HashSet<>();
    for (String path : paths) {
      named.addAll(find(path));
    }
    for (String path : more) {
      named.addAll(find(path));
    }
    HookRewriter looking =
        new HookRewriter(sources, root, s -> isLookedAt(s, named), prefix + "_hooks", added);
    looking.rewrite();
    List<TapFunctions> functions = new ArrayList<>(looking.functions());
    functions.add(recording.functions());
    ArchiveCopy copy = copy(added, functions);
    return new HookableArchive(new InstrumentedArchive(copy, recording.plan()), looking.plan());
  }

  /**
   * Whether hooks can look at an operator. Methods that call modules have a twin anyway; one for
   * each leaf of torch.nn would double the time that a large model needs to load.
   */
  private boolean isLookedAt(CallSite operator, Set<ModuleNode> named) {
    MethodContext caller = operator.caller();
    return flat
        || named.contains(operator.target())
        || !caller.key().type().startsWith(OF_TORCH)
        || caller.sites().stream().anyMatch(site -> !site.isOperator());
  }

  /**
   * For each path of a module or operator that hooks cannot see, the reason. Aliases of modules
   * that hooks can see are not included.
   */
  public Map<String, String> unhookable(HookPlan plan) {
    Set<String> hookable = new HashSet<>();
    plan.sites().forEach(site -> hookable.add(site.path()));
    Map<String, String> reasons = new LinkedHashMap<>();
    Map<String, String> unclear = unclear();
    for (ModuleNode node : new LinkedHashSet<>(modules.byPath().values())) {
      if (node == modules.root() || hookable.contains(node.path())) {
        continue;
      }
      String silent = operatorsOnly().orElse(plan.silent().getOrDefault(node.path(), UNCALLED));
      String reason = unclear.getOrDefault(node.path(), silent);
      reasons.put(node.path(), reason);
      node.aliases().forEach(alias -> reasons.put(alias, reason));
    }
    for (String operator : operators.byPath().keySet()) {
      if (!flat && !hookable.contains(operator)) {
        reasons.put(operator, plan.silent().getOrDefault(operator, IN_A_LEAF));
      }
    }
    return reasons;
  }

  private ArchiveCopy copy(Map<String, List<String>> added, List<TapFunctions> functions) {
    Map<String, byte[]> changed = new LinkedHashMap<>();
    for (SourceFile source : sources.files().values()) {
      String text = SourceTree.withMethods(source, added);
      if (text != null) {
        changed.put(source.entry(), text.getBytes(StandardCharsets.UTF_8));
      }
    }
    for (TapFunctions module : functions) {
      changed.put(
          folder + "code/" + module.module().replace('.', '/') + ".py",
          module.source().getBytes(StandardCharsets.UTF_8));
    }
    return new ArchiveCopy(file, zip, changed);
  }

  /**
   * A copy of the archive, not yet written, for guided backpropagation.
   *
   * @throws ArchiveException if forward reaches no ReLU, or one that cannot be guided, with the
   *     reason
   */
  public GuidedArchive guided() throws ArchiveException {
    GuidedRewriter rewriter = new GuidedRewriter(sources, root, freePrefix());
    Map<String, byte[]> changed = new LinkedHashMap<>(rewriter.rewrite(name));
    if (changed.isEmpty()) {
      throw new ArchiveException(
          name
              + ": guided backpropagation needs ReLUs (relu, clamp or threshold at 0), and forward"
              + " reaches none; what it has is not guided: "
              + rewriter.others());
    }
    changed.put(
        folder + "code/" + rewriter.module().replace('.', '/') + ".py",
        rewriter.functions().getBytes(StandardCharsets.UTF_8));
    return new GuidedArchive(new ArchiveCopy(file, zip, changed), rewriter.method());
  }

  /**
   * Writes a copy of the archive in which the values of each parameter of some modules are shuffled
   * (without their children's parameters and without buffers).
   *
   * @param target created, or overwritten
   * @param paths module paths ({@code .} is the root), aliases allowed
   * @param seed the same seed gives the same copy
   * @throws ArchiveException if a path does not exist
   */
  public void writeShuffled(Path target, Collection<String> paths, long seed) throws IOException {
    Set<ModuleNode> nodes = new LinkedHashSet<>();
    for (String path : paths) {
      ModuleNode node = modules.byPath().get(path.equals(".") ? "" : path);
      if (node == null) {
        throw new ArchiveException(
            name + ": no module '" + path + "' among its " + modules.byPath().size() + " paths");
      }
      nodes.add(node);
    }
    try (ZipFile archive = new ZipFile(file.toFile())) {
      new ArchiveCopy(file, zip, WeightShuffle.of(archive, folder, nodes, seed)).write(target);
    }
  }

  /**
   * How the model keeps state from one call to the next, so that a repeated call may give another
   * answer; empty if it does not.
   */
  public Optional<String> state() {
    return StateWrites.in(sources);
  }

  /** Why only the root can be recorded; empty if other paths can. */
  public Optional<String> rootOnly() {
    return flat && operators.byPath().isEmpty()
        ? Optional.of(
            "the code calls no module and no operator that makes a tensor; only '.', the model's"
                + " input and output, can be hooked")
        : Optional.empty();
  }

  /** Why operators can be recorded but modules cannot; empty if modules can. */
  public Optional<String> operatorsOnly() {
    if (!flat) {
      return Optional.empty();
    }
    String why = "the code calls no module at all";
    if (!modules.root().children().isEmpty()) {
      why += ", the graph was inlined when it was saved";
    } else if (isUsed("CONSTANTS.")) {
      why =
          "the archive was frozen (torch.jit.freeze or optimize_for_inference put every module into"
              + " forward and its weights into constants)";
    }
    return Optional.of(why + "; its layers are the values of its operators");
  }

  private Map<ModuleNode, Integer> sites() {
    Map<ModuleNode, Integer> sites = new HashMap<>();
    countSites(root, new HashSet<>(), sites);
    return sites;
  }

  /**
   * Why a module of an inlined archive is no layer though its operators are there; by path. What
   * fits a module without weights may be another's.
   */
  public Map<String, String> unclear() {
    Map<String, String> reasons = new LinkedHashMap<>();
    operators
        .unclear()
        .forEach(
            (path, values) -> {
              String reason =
                  "the graph was inlined when it was saved, and the code does not tell which value"
                      + " is that module's; those that fit: "
                      + shortened(values);
              reasons.put(path, reason);
              ModuleNode module = Objects.requireNonNull(modules.byPath().get(path));
              module.aliases().forEach(alias -> reasons.put(alias, reason));
            });
    return reasons;
  }

  private static String shortened(List<String> names) {
    String first = String.join(", ", names.subList(0, Math.min(names.size(), SHOWN)));
    return names.size() > SHOWN ? first + " and " + (names.size() - SHOWN) + " more" : first;
  }

  /** What a name means; several values for a module of an inlined archive that is called so. */
  private List<ModuleNode> find(String path) throws ArchiveException {
    ModuleNode node = modules.byPath().get(path.equals(".") ? "" : path);
    if (node == modules.root()) {
      return List.of(node);
    }
    List<CallSite> found = node == null || flat ? operators.find(path) : List.of();
    if (!found.isEmpty()) {
      return found.stream().map(CallSite::target).toList();
    }
    String unclear = node == null ? null : unclear().get(path);
    if (unclear != null) {
      throw new ArchiveException("%s: no layer '%s': %s".formatted(name, path, unclear));
    }
    Optional<String> rootOnly = rootOnly();
    if (rootOnly.isPresent()) {
      throw new ArchiveException("%s: no layer '%s': %s".formatted(name, path, rootOnly.get()));
    }
    Optional<String> operatorsOnly = operatorsOnly();
    if (operatorsOnly.isPresent()) {
      throw new ArchiveException(
          "%s: no layer '%s': %s".formatted(name, path, operatorsOnly.get()));
    }
    if (node == null && LayerPattern.of(path).isInside()) {
      throw new ArchiveException(
          "%s: no operator '%s' among its %d".formatted(name, path, operators.byPath().size()));
    }
    if (node == null) {
      throw new ArchiveException(
          name + ": no module '" + path + "' among its " + modules.byPath().size() + " paths");
    }
    if (!sites().containsKey(node)) {
      throw new ArchiveException(name + ": module '" + path + "' is there, but " + UNCALLED);
    }
    return List.of(node);
  }

  /** A prefix that no name in the code starts with, even if the archive was instrumented before. */
  private String freePrefix() {
    String prefix = "camhook";
    int n = 2;
    while (isUsed(prefix + "_")) {
      prefix = "camhook" + n++;
    }
    return prefix;
  }

  private boolean isUsed(String text) {
    return sources.files().values().stream().anyMatch(f -> f.text().contains(text));
  }
}
