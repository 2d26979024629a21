package io.camhook.agent.yaml;

import java.util.List;
import java.util.stream.Collectors;

/** The configuration is invalid; lists every problem. */
public final class InvalidConfigException extends Exception {
  private final transient List<Problem> problems;

  public InvalidConfigException(List<Problem> problems) {
    super(problems.stream().map(Problem::toString).collect(Collectors.joining("\n")));
    this.problems = List.copyOf(problems);
  }

  /** All of them, section by section. */
  public List<Problem> problems() {
    return problems;
  }
}
