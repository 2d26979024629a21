package io.camhook.naming;

import java.util.List;

/**
 * One module of an archive as a user sees it.
 *
 * @param path dotted path as in PyTorch's {@code named_modules}; {@code .} for the root
 * @param type the Python class name, without {@code __torch__} and mangling, e.g. {@code
 *     torch.nn.modules.conv.Conv2d}
 * @param aliases other paths of the same module instance
 * @param parameters its own parameters and buffers, not those of submodules
 * @param training whether it was saved in training mode
 * @param callSites how many places in the code call it; 0 if nothing does
 */
public record ModuleDescription(
    String path,
    String type,
    List<String> aliases,
    List<Parameter> parameters,
    boolean training,
    int callSites) {

  /**
   * A parameter or buffer.
   *
   * @param name attribute name, e.g. {@code weight}
   * @param dtype as in safetensors: {@code F32}, {@code F16}, {@code BF16}, {@code I64} …
   * @param shape sizes
   * @param buffer true for a buffer such as {@code running_mean}
   */
  public record Parameter(String name, String dtype, List<Long> shape, boolean buffer) {
    /** Bytes of one element; 0 if the type is unknown. */
    public int bytesPerElement() {
      return switch (dtype) {
        case "F64", "I64" -> 8;
        case "F32", "I32" -> 4;
        case "F16", "BF16", "I16" -> 2;
        case "I8", "U8", "BOOL" -> 1;
        default -> 0;
      };
    }

    /** Number of elements. */
    public long size() {
      return shape.stream().reduce(1L, (a, b) -> a * b);
    }
  }

  public ModuleDescription {
    aliases = List.copyOf(aliases);
    parameters = List.copyOf(parameters);
  }

  /** Number of elements of its own parameters, without buffers. */
  public long parameterCount() {
    return parameters.stream().filter(p -> !p.buffer()).mapToLong(Parameter::size).sum();
  }
}
