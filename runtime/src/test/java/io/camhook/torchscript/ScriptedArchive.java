package io.camhook.torchscript;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.IdentityHashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/** Builds small TorchScript archives without weights out of source text, for tests. */
public final class ScriptedArchive {
  /** A module without parameters. */
  public record Module(String type, Map<String, Module> children) {
    public Module(String type) {
      this(type, new LinkedHashMap<>());
    }

    public Module with(String name, Module child) {
      children.put(name, child);
      return this;
    }
  }

  private final Map<String, String> sources = new LinkedHashMap<>();
  private final Map<String, String> files = new LinkedHashMap<>();

  /** Adds a source file, {@code __torch__/nets.py}. */
  public ScriptedArchive source(String path, String text) {
    sources.put(path, text);
    return this;
  }

  /** Adds another entry, {@code extra/labels.txt}. */
  public ScriptedArchive file(String path, String text) {
    files.put(path, text);
    return this;
  }

  public Path write(Path file, Module root) throws IOException {
    try (OutputStream out = Files.newOutputStream(file)) {
      out.write(bytes(root));
    }
    return file;
  }

  public byte[] bytes(Module root) throws IOException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      put(zip, "data.pkl", pickle(root));
      for (Map.Entry<String, String> source : sources.entrySet()) {
        put(zip, "code/" + source.getKey(), source.getValue().getBytes(StandardCharsets.UTF_8));
      }
      for (Map.Entry<String, String> file : files.entrySet()) {
        put(zip, file.getKey(), file.getValue().getBytes(StandardCharsets.UTF_8));
      }
      put(zip, "constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
      put(zip, "version", "3\n".getBytes(StandardCharsets.UTF_8));
    }
    return bytes.toByteArray();
  }

  private static void put(ZipOutputStream zip, String name, byte[] bytes) throws IOException {
    ZipEntry entry = new ZipEntry("model/" + name);
    zip.putNextEntry(entry);
    zip.write(bytes);
    zip.closeEntry();
  }

  private static byte[] pickle(Module root) {
    ByteArrayOutputStream out = new ByteArrayOutputStream();
    out.writeBytes(new byte[] {(byte) 0x80, 2});
    module(root, out, new IdentityHashMap<>());
    out.write('.');
    return out.toByteArray();
  }

  private static void module(
      Module module, ByteArrayOutputStream out, IdentityHashMap<Module, Integer> memo) {
    Integer known = memo.get(module);
    if (known != null) {
      out.writeBytes(new byte[] {'h', known.byteValue()});
      return;
    }
    int dot = module.type().lastIndexOf('.');
    String global = "c" + module.type().substring(0, dot) + "\n" + module.type().substring(dot + 1);
    out.writeBytes((global + "\n)").getBytes(StandardCharsets.UTF_8));
    out.writeBytes(new byte[] {(byte) 0x81, '}', '('});
    text("training", out);
    out.write(0x89);
    for (Map.Entry<String, Module> child : module.children().entrySet()) {
      text(child.getKey(), out);
      module(child.getValue(), out, memo);
    }
    out.writeBytes(new byte[] {'u', 'b'});
    memo.put(module, memo.size());
    out.writeBytes(new byte[] {'q', memo.get(module).byteValue()});
  }

  private static void text(String text, ByteArrayOutputStream out) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    out.writeBytes(new byte[] {'X', (byte) bytes.length, 0, 0, 0});
    out.writeBytes(bytes);
  }
}
