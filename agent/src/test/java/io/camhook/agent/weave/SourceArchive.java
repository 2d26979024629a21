package io.camhook.agent.weave;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * A TorchScript archive without weights, of source text for two classes: {@code Net} with the
 * modules {@code part} and {@code other} of class {@code Part}.
 */
final class SourceArchive {
  /** {@code Part}, and {@code Net} up to the body of its forward. */
  static final String PART_OF_NONE = source("NoneType", "    return None\n");

  private SourceArchive() {}

  /** The two classes, up to the body of {@code Net}'s forward. */
  static String source(String partReturns, String partBody) {
    return """
    class Part(Module):
      __parameters__ = []
      __buffers__ = []
      training : bool
      def forward(self: __torch__.Part,
        x: Tensor) -> %s:
    %sclass Net(Module):
      __parameters__ = []
      __buffers__ = []
      training : bool
      part : __torch__.Part
      other : __torch__.Part
      def forward(self: __torch__.Net,
        x: Tensor) -> Tensor:
    """
        .formatted(partReturns, partBody);
  }

  static Path write(Path file, String source) throws IOException {
    Map<String, byte[]> entries = new LinkedHashMap<>();
    entries.put("model/data.pkl", pickle());
    entries.put("model/code/__torch__.py", source.getBytes(StandardCharsets.UTF_8));
    entries.put("model/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
    entries.put("model/version", "3\n".getBytes(StandardCharsets.UTF_8));
    return Files.write(file, ScriptDamageTest.zip(entries));
  }

  /** An object of Net whose two attributes are objects of Part, in protocol 2. */
  private static byte[] pickle() {
    String part = "c__torch__\nPart\n)\u0081}(" + text("training") + "\u0089ub";
    String net =
        "\u0080\u0002c__torch__\nNet\n)\u0081}("
            + text("training")
            + "\u0089"
            + text("part")
            + part
            + text("other")
            + part
            + "ub.";
    return net.getBytes(StandardCharsets.ISO_8859_1);
  }

  private static String text(String text) {
    return "X" + (char) text.length() + "\0\0\0" + text;
  }
}
