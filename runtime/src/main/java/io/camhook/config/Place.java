package io.camhook.config;

/**
 * Where a value is found in a call of a plain Java method.
 *
 * @param kind which sort of place
 * @param argument index of {@code ARGUMENT}, from 0; -1 for the first argument that is a tensor
 * @param field name of {@code FIELD}; empty otherwise
 */
public record Place(Kind kind, int argument, String field) {
  /** The sorts of place. */
  public enum Kind {
    /** What the method returns; can be replaced. */
    RETURN,
    /** An argument of the method; can be replaced. */
    ARGUMENT,
    /** A field of the module, read when the method has returned; replaced in place. */
    FIELD,
    /** Nowhere: the network does not have it. */
    NONE
  }

  public static final Place RETURN = new Place(Kind.RETURN, -1, "");
  public static final Place NONE = new Place(Kind.NONE, -1, "");
  public static final Place FIRST_TENSOR_ARGUMENT = new Place(Kind.ARGUMENT, -1, "");

  public static Place argument(int index) {
    return new Place(Kind.ARGUMENT, index, "");
  }

  public static Place field(String name) {
    return new Place(Kind.FIELD, -1, name);
  }
}
