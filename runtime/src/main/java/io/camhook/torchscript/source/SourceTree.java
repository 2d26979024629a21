package io.camhook.torchscript.source;

import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/** Every class and free function of an archive by its qualified name. */
public final class SourceTree {
  /** A class, and the file that contains it. */
  public record ClassSource(SourceFile file, String qualifiedName, Stmt.ClassDef definition) {
    public Stmt.@Nullable Function method(String name) {
      for (Stmt statement : definition.body()) {
        if (statement instanceof Stmt.Function f && f.name().equals(name)) {
          return f;
        }
      }
      return null;
    }

    public boolean extendsType(String base) {
      return definition.bases().stream().anyMatch(b -> Printer.print(b).equals(base));
    }

    public boolean isInterface() {
      return extendsType("ModuleInterface") || extendsType("Interface");
    }

    /** Declared attributes and their types in order, also {@code __annotations__["0"] = T}. */
    public Map<String, Expr> attributes() {
      Map<String, Expr> types = new LinkedHashMap<>();
      for (Stmt statement : definition.body()) {
        if (!(statement instanceof Stmt.Assign assign)) {
          continue;
        }
        Expr target = assign.targets().get(0);
        if (assign.annotation() != null && target instanceof Expr.Name name) {
          types.put(name.id(), assign.annotation());
        } else if (target instanceof Expr.Index index
            && index.value() instanceof Expr.Name name
            && name.id().equals("__annotations__")
            && index.items().get(0) instanceof Expr.Str key
            && assign.value() != null) {
          types.put(Literals.text(key), assign.value());
        }
      }
      return types;
    }
  }

  /** A free function, and the file that contains it. */
  public record FunctionSource(SourceFile file, Stmt.Function definition) {}

  private final Map<String, SourceFile> files = new LinkedHashMap<>();
  private final Map<String, ClassSource> classes = new HashMap<>();
  private final Map<String, FunctionSource> functions = new HashMap<>();

  public void add(SourceFile file) {
    files.put(file.entry(), file);
    for (Stmt statement : file.statements()) {
      if (statement instanceof Stmt.ClassDef c) {
        String name = file.module() + "." + c.name();
        classes.put(name, new ClassSource(file, name, c));
      } else if (statement instanceof Stmt.Function f) {
        functions.put(file.module() + "." + f.name(), new FunctionSource(file, f));
      }
    }
  }

  public Map<String, SourceFile> files() {
    return files;
  }

  /**
   * A file's text with methods added to its classes.
   *
   * @param added by qualified name of the class, indented
   * @return null if none of its classes gets one
   */
  public static @Nullable String withMethods(SourceFile file, Map<String, List<String>> added) {
    Edits edits = new Edits();
    boolean changed = false;
    for (Stmt statement : file.statements()) {
      if (statement instanceof Stmt.ClassDef type) {
        List<String> methods = added.get(file.module() + "." + type.name());
        if (methods != null) {
          edits.insert(type.end(), "\n" + String.join("\n", methods));
          changed = true;
        }
      }
    }
    return changed ? edits.apply(file.text(), 0, file.text().length()) : null;
  }

  @Nullable
  public ClassSource type(String qualifiedName) {
    return classes.get(qualifiedName);
  }

  @Nullable
  public FunctionSource function(String qualifiedName) {
    return functions.get(qualifiedName);
  }

  /**
   * An attribute by its path from the class, {@code classifier.1.weight}, as an expression in a
   * method of the class: names that are not identifiers use getattr.
   *
   * @param self the name of the method's first parameter
   * @return null if the code does not state the class of a module on the path
   */
  public @Nullable String attribute(ClassSource from, String self, String path) {
    String owner = self;
    ClassSource type = from;
    for (String part : path.split("\\.", -1)) {
      Expr declared = type == null || type.isInterface() ? null : type.attributes().get(part);
      if (declared == null) {
        return null;
      }
      String next = Literals.dotted(declared);
      type = next == null ? null : type(next);
      boolean plain = Character.isJavaIdentifierStart(part.charAt(0));
      owner = plain ? "(" + owner + ")." + part : "getattr(" + owner + ", \"" + part + "\")";
    }
    return owner;
  }
}
