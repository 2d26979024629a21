package io.camhook.torchscript.source;

import java.util.List;

/** One parsed source of an archive. {@code module} is its Python name, {@code __torch__.nets}. */
public record SourceFile(String entry, String module, String text, List<Stmt> statements) {
  String text(int start, int end) {
    return text.substring(start, end);
  }
}
