package io.camhook.recording;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * A captured model.
 *
 * @param name its label in {@code camhook.yaml}
 * @param modules the module tree, parents before children
 * @param engine the engine that runs it, with its version; null if unknown
 * @param notes what a reader of its captures should know
 * @param sha256 of the file that it was loaded from, in hexadecimal; null where none is known
 * @param parametersSha256 of the parameters of a model of Java blocks, in hexadecimal; null where
 *     none is known
 */
public record ModelInfo(
    String name,
    List<ModuleInfo> modules,
    @Nullable String engine,
    List<String> notes,
    @Nullable String sha256,
    @Nullable String parametersSha256) {
  public ModelInfo {
    modules = List.copyOf(modules);
    notes = notes == null ? List.of() : List.copyOf(notes);
  }

  /** Without notes. */
  public ModelInfo(String name, List<ModuleInfo> modules) {
    this(name, modules, null, List.of(), null, null);
  }

  /** With the engine that runs the model. */
  public ModelInfo on(String engine) {
    return new ModelInfo(name, modules, engine, notes, sha256, parametersSha256);
  }

  /** With the hash of its file. */
  public ModelInfo hashed(String sha256) {
    return new ModelInfo(name, modules, engine, notes, sha256, parametersSha256);
  }

  /** With the hash of its parameters. */
  public ModelInfo hashedByParameters(String sha256) {
    return new ModelInfo(name, modules, engine, notes, this.sha256, sha256);
  }

  /** With one more note. */
  public ModelInfo with(String note) {
    List<String> all = new ArrayList<>(notes);
    all.add(note);
    return new ModelInfo(name, modules, engine, all, sha256, parametersSha256);
  }

  /** The hash, and what it is of; null if none is known. */
  public @Nullable String hashInWords() {
    return sha256 != null
        ? "SHA-256 of its file " + sha256
        : parametersSha256 != null ? "SHA-256 of its parameters " + parametersSha256 : null;
  }

  /** Types of the modules, by path. */
  public Map<String, String> types() {
    Map<String, String> types = new TreeMap<>();
    modules.forEach(module -> types.put(module.path(), module.type()));
    return types;
  }
}
