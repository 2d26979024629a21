package io.camhook.torchscript.archive;

import io.camhook.naming.ModuleDescription;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One module instance of an archive. A module registered under several names is one node: {@code
 * path} is its first name in registration order, {@code aliases} the others.
 */
public final class ModuleNode {
  private final String path;
  private final String type;
  private final List<String> aliases = new ArrayList<>();
  private final Map<String, ModuleNode> children = new LinkedHashMap<>();
  private final Map<String, ModuleDescription.Parameter> parameters = new LinkedHashMap<>();
  private final Map<String, StoredValues> values = new LinkedHashMap<>();
  private final Map<String, List<Long>> lists = new LinkedHashMap<>();
  private final boolean training;

  public ModuleNode(String path, String type, boolean training) {
    this.path = path;
    this.type = type;
    this.training = training;
  }

  /** Dotted path, empty for the root. */
  public String path() {
    return path;
  }

  public String type() {
    return type;
  }

  public List<String> aliases() {
    return aliases;
  }

  public Map<String, ModuleNode> children() {
    return children;
  }

  public Map<String, ModuleDescription.Parameter> parameters() {
    return parameters;
  }

  /** Where the values of parameters and buffers are. */
  public Map<String, StoredValues> values() {
    return values;
  }

  /** Lists of whole numbers among its attributes, as the archive stores them. */
  public Map<String, List<Long>> lists() {
    return lists;
  }

  public boolean training() {
    return training;
  }
}
