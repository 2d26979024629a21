package io.camhook.config;

import java.util.Arrays;

/**
 * Where a value is found in a call of a plain Java method.
 *
 * @param kind which sort of place
 * @param argument index of {@code ARGUMENT}, from 0; -1 for the first argument that is a tensor
 * @param field name of {@code FIELD}; empty otherwise
 * @param member path from there to the value: fields, methods without arguments, element numbers
 *     and {@link #EACH}, joined by dots; empty for the value itself
 */
public record Place(Kind kind, int argument, String field, String member) {
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

  /** The step to every element of an array or collection. */
  public static final String EACH = "*";

  public static final Place RETURN = new Place(Kind.RETURN, -1, "", "");
  public static final Place NONE = new Place(Kind.NONE, -1, "", "");
  public static final Place FIRST_TENSOR_ARGUMENT = new Place(Kind.ARGUMENT, -1, "", "");

  public static Place argument(int index) {
    return new Place(Kind.ARGUMENT, index, "", "");
  }

  public static Place field(String name) {
    return new Place(Kind.FIELD, -1, name, "");
  }

  /** The place of a member, or a path of members, of this value. */
  public Place member(String path) {
    return new Place(kind, argument, field, path);
  }

  /** Whether the value is gathered from elements, so that nothing can be written back. */
  public boolean isGathered() {
    return Arrays.asList(member.split("\\.")).contains(EACH);
  }

  /** Whether a hook's replacement can be written there: a member is written in place. */
  public boolean isWhole() {
    return member.isEmpty();
  }
}
