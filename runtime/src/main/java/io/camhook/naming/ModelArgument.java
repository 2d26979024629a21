package io.camhook.naming;

/**
 * An argument of a model's forward.
 *
 * @param name as in the code
 * @param type type in the code: {@code Tensor}, {@code Dict[str, Tensor]}, {@code Optional[Tensor]}
 * @param hasDefault whether it may be left out
 */
public record ModelArgument(String name, String type, boolean hasDefault) {

  /** Whether it is a dict of tensors. */
  public boolean isDict() {
    return type.replace(" ", "").equals("Dict[str,Tensor]");
  }

  /** Whether it is a list of tensors. */
  public boolean isList() {
    return type.equals("List[Tensor]");
  }

  /** Whether it may be left out, or be None. */
  public boolean isOptional() {
    return hasDefault || type.startsWith("Optional[");
  }

  @Override
  public String toString() {
    return name + ": " + type;
  }
}
