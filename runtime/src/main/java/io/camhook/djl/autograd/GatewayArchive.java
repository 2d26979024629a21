package io.camhook.djl.autograd;

import static java.nio.charset.StandardCharsets.US_ASCII;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.zip.CRC32;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;

/**
 * A TorchScript archive without weights whose methods are operators that DJL has no native method
 * for. {@code torch.grad} with {@code allow_unused} gives the gradients of intermediate tensors and
 * touches no {@code .grad}; {@code torch.backward} takes several roots at once. The most frequently
 * called ones come first, because the engine searches methods in order.
 */
final class GatewayArchive {
  private static final String SOURCE =
      """
      class Gateway(Module):
        __parameters__ = []
        __buffers__ = []
        training : bool
        def version(self: __torch__.Gateway,
          x: Tensor) -> int:
          return torch._version(x)
        def versions(self: __torch__.Gateway,
          list: List[Tensor]) -> List[int]:
          found = annotate(List[int], [])
          for i in range(torch.len(list)):
            _0 = torch.append(found, torch._version(list[i]))
          return found
        def spoil(self: __torch__.Gateway,
          list: List[Tensor]) -> List[int]:
          for i in range(torch.len(list)):
            _0 = torch.resize_(list[i], [0])
          return annotate(List[int], [])
        def zero(self: __torch__.Gateway,
          x: Tensor) -> Tensor:
          return torch.zero_(x)
        def requiring(self: __torch__.Gateway,
          x: Tensor) -> bool:
          return ops.prim.requires_grad(x)
        def leaf(self: __torch__.Gateway,
          x: Tensor) -> bool:
          return torch.is_leaf(x)
        def clone(self: __torch__.Gateway,
          x: Tensor) -> Tensor:
          return torch.clone(x)
        def append(self: __torch__.Gateway,
          list: List[Tensor],
          x: Tensor) -> int:
          _0 = torch.append(list, x)
          return torch.len(list)
        def forward(self: __torch__.Gateway,
          x: Tensor) -> Tensor:
          return x
        def hessian_product(self: __torch__.Gateway,
          inputs: List[Tensor],
          outputs: List[Tensor],
          grads: List[Tensor],
          vectors: List[Tensor]) -> Tensor:
          given = annotate(List[Optional[Tensor]], [])
          for i in range(torch.len(grads)):
            _0 = torch.append(given, grads[i])
          first = torch.grad(outputs, inputs, given, True, True, True)
          g = first[0]
          product = torch.zeros_like(inputs[0])
          if torch.__isnot__(g, None):
            g0 = unchecked_cast(Tensor, g)
            if ops.prim.requires_grad(g0):
              along = annotate(List[Optional[Tensor]], [])
              _1 = torch.append(along, vectors[0])
              second = torch.grad([g0], inputs, along, True, False, True)
              h = second[0]
              if torch.__isnot__(h, None):
                product = unchecked_cast(Tensor, h)
              else:
                pass
            else:
              pass
          else:
            pass
          return product
        def tap(self: __torch__.Gateway,
          x: Tensor) -> List[Tensor]:
          if ops.prim.requires_grad(x):
            value = x
          else:
            if torch.is_inference(x):
              y = torch.clone(x)
            else:
              y = torch.detach(x)
            value = torch.requires_grad_(y)
          return [value, torch.clone(value)]
        def retain_grad(self: __torch__.Gateway,
          x: Tensor) -> Tensor:
          torch.retain_grad(x)
          return x
        def bfloat16(self: __torch__.Gateway,
          x: Tensor) -> Tensor:
          return torch.to(x, 15, False, False)
        def copy(self: __torch__.Gateway,
          x: Tensor,
          y: Tensor) -> Tensor:
          _0 = torch.copy_(x, y)
          return x
      """;

  /**
   * Parameters: the name, and whether the graph is kept, which must be a constant in the source.
   * Returns the gradients that exist, and the positions of their inputs.
   */
  private static final String GRAD =
      """
        def %s(self: __torch__.Gateway,
          inputs: List[Tensor],
          outputs: List[Tensor],
          grads: List[Tensor]) -> Tuple[List[Tensor], List[int]]:
          given = annotate(List[Optional[Tensor]], [])
          for i in range(torch.len(grads)):
            _0 = torch.append(given, grads[i])
          found = torch.grad(outputs, inputs, given, %s, False, True)
          result = annotate(List[Tensor], [])
          places = annotate(List[int], [])
          for j in range(torch.len(found)):
            g = found[j]
            if torch.__isnot__(g, None):
              g0 = unchecked_cast(Tensor, g)
              _1 = torch.append(result, g0)
              _2 = torch.append(places, j)
            else:
              pass
          return (result, places)
      """;

  /** Like {@link #GRAD}. */
  private static final String BACKWARD =
      """
        def %s(self: __torch__.Gateway,
          outputs: List[Tensor],
          grads: List[Tensor]) -> Tensor:
          given = annotate(List[Optional[Tensor]], [])
          for i in range(torch.len(grads)):
            _0 = torch.append(given, grads[i])
          torch.backward(outputs, given, %s)
          return outputs[0]
      """;

  private GatewayArchive() {}

  private static String source() {
    return SOURCE
        + GRAD.formatted("grad", "True")
        + GRAD.formatted("grad_last", "False")
        + BACKWARD.formatted("backward", "False")
        + BACKWARD.formatted("backward_retaining", "True");
  }

  static byte[] bytes() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    try (ZipOutputStream zip = new ZipOutputStream(bytes)) {
      store(zip, "gateway/data.pkl", dataPickle());
      store(zip, "gateway/code/__torch__.py", source().getBytes(US_ASCII));
      store(zip, "gateway/constants.pkl", new byte[] {(byte) 0x80, 2, ')', '.'});
      store(zip, "gateway/version", "3\n".getBytes(US_ASCII));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /** The pickle of an object {@code __torch__.Gateway} whose state is {@code training = False}. */
  private static byte[] dataPickle() {
    ByteArrayOutputStream pickle = new ByteArrayOutputStream();
    pickle.writeBytes(new byte[] {(byte) 0x80, 2}); // protocol 2
    pickle.writeBytes("c__torch__\nGateway\n".getBytes(US_ASCII)); // the class
    pickle.writeBytes(new byte[] {')', (byte) 0x81, '}', '('}); // (), new object, {}, mark
    pickle.writeBytes(new byte[] {'X', 8, 0, 0, 0});
    pickle.writeBytes("training".getBytes(US_ASCII));
    pickle.writeBytes(new byte[] {(byte) 0x89, 'u', 'b', '.'}); // False, set items, set state, end
    return pickle.toByteArray();
  }

  private static void store(ZipOutputStream zip, String name, byte[] content) throws IOException {
    ZipEntry entry = new ZipEntry(name);
    CRC32 crc = new CRC32();
    crc.update(content);
    entry.setMethod(ZipEntry.STORED);
    entry.setSize(content.length);
    entry.setCrc(crc.getValue());
    entry.setTime(0);
    zip.putNextEntry(entry);
    zip.write(content);
    zip.closeEntry();
  }
}
