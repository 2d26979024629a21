package io.camhook.torchscript.twin;

import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;

/**
 * The methods that were added to an archive for hooks, and how to read their results.
 *
 * <p>Both methods take a {@code List[int]} before the inputs of {@code forward}, {@link #wanted},
 * and return {@code (result, taps, labels)}: the result of {@code forward}, a {@code List[Tensor]}
 * and a string that {@link #records} parses. There are two because the engine specialises a method
 * for the autograd of its first runs.
 *
 * @param inferenceMethod for passes without autograd
 * @param graphMethod for passes whose graph the caller wants
 * @param stoppingMethod for passes with hooks that replace values, with or without autograd; null
 *     if there is none. Before the inputs of {@code forward} it takes lists for taps, their labels
 *     and the answers ({@code List[Tensor]}, {@code List[str]}, {@code List[Tensor]}), the door (an
 *     int64 scalar) and {@link #wanted}; it returns what {@code forward} returns. At each wanted
 *     call it puts the arguments ({@link #isResult} false) or the result into the lists (a label is
 *     the position among the arguments and {@code .key} for each level inside), writes the number
 *     of the stop into the door, and waits until another thread writes {@link #KEEP}, {@link #TAKE}
 *     (after putting the same number of tensors into the answers), or {@link #FAIL}.
 * @param sites every module call that hooks can see; its index is its number
 * @param silent by path: why hooks cannot see a module although it is called
 */
public record HookPlan(
    String inferenceMethod,
    String graphMethod,
    @Nullable String stoppingMethod,
    List<Site> sites,
    Map<String, String> silent) {
  /** The plan of an archive in which hooks cannot look at anything. */
  public static final HookPlan NONE = new HookPlan("", "", null, List.of(), Map.of());

  /** Ends a stop: the pass continues with its own values. */
  public static final long KEEP = 0;

  /** Ends a stop: the pass continues with the answers. */
  public static final long TAKE = -1;

  /** Ends a stop: the pass fails. */
  public static final long FAIL = -2;

  /** Requests a value. */
  public static final long VALUE = 1;

  /** Requests a value and its node in the graph, if it has one. */
  public static final long GRADIENT = 3;

  /**
   * A call of a module or operator.
   *
   * @param path module path, or the name of the operator's value, {@code relu#7}
   * @param firstCall 7 for an operator's value named {@code relu#7}; 0 for others
   * @param arguments those that hold tensors, in order
   */
  public record Site(String path, int firstCall, List<Argument> arguments) {
    public Site {
      arguments = List.copyOf(arguments);
    }

    /**
     * Whether the gradient of the argument at {@code position} through this call can be determined.
     */
    public boolean hasGradient(int position) {
      return arguments.stream().anyMatch(a -> a.position() == position && a.gradient());
    }

    /** Whether {@code position} is its last argument with tensors. */
    public boolean isLast(int position) {
      return !arguments.isEmpty() && arguments.get(arguments.size() - 1).position() == position;
    }
  }

  /**
   * An argument of a call.
   *
   * @param position among the parameters after self, from 0
   * @param gradient whether the gradient through this call alone can be determined: true for a
   *     tensor that the module does not change in place
   */
  public record Argument(int position, boolean gradient) {}

  /**
   * The tensors of one argument or result of a call.
   *
   * @param site number of the site
   * @param argument position of the argument; -1 for the result
   * @param elements its tensors
   */
  public record Record(int site, int argument, List<Element> elements) {}

  /**
   * One tensor.
   *
   * @param key which element of a tuple, list or dict, e.g. {@code 1.0} or {@code out}; empty for a
   *     plain tensor
   * @param tap its index in the list of taps
   */
  public record Element(String key, int tap) {}

  public HookPlan {
    sites = List.copyOf(sites);
    silent = Map.copyOf(silent);
  }

  /**
   * The first argument of the methods, requesting nothing: for each site an entry for its result,
   * and one for its arguments ({@code [2 · site + 1]}).
   */
  public long[] wanted() {
    return new long[2 * sites.size()];
  }

  /** The site of a stop. */
  public static int site(long stop) {
    return (int) (stop - 1) / 2;
  }

  /** Whether the call of a stop has returned; otherwise it has not begun. */
  public static boolean isResult(long stop) {
    return stop % 2 != 0;
  }

  /** The recorded tensors, in order of execution. */
  public List<Record> records(String labels) {
    List<Record> records = new ArrayList<>();
    if (labels.isEmpty()) {
      return records;
    }
    int taps = 0;
    for (String label : labels.split("\n", -1)) {
      int end = digits(label, 0);
      int site = Integer.parseInt(label, 0, end, 10);
      int argument = -1;
      if (label.startsWith(">", end)) {
        int start = end + 1;
        end = digits(label, start);
        argument = Integer.parseInt(label, start, end, 10);
      }
      String rest = label.substring(end);
      if (!rest.startsWith(".")) {
        records.add(new Record(site, argument, new ArrayList<>(1)));
      }
      if (!rest.equals("!")) {
        String key = rest.isEmpty() ? "" : rest.substring(1);
        records.get(records.size() - 1).elements().add(new Element(key, taps++));
      }
    }
    return records;
  }

  private static int digits(String text, int from) {
    int end = from;
    while (end < text.length() && Character.isDigit(text.charAt(end))) {
      end++;
    }
    return end;
  }
}
