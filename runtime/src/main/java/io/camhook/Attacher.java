package io.camhook;

import com.sun.tools.attach.VirtualMachine;

/** Loads the agent into another JVM; the main class of the process that {@link Agent} starts. */
final class Attacher {
  private Attacher() {}

  /**
   * Attaches.
   *
   * @param arguments process id of the JVM, path of the agent jar
   */
  public static void main(String[] arguments) throws Exception {
    VirtualMachine machine = VirtualMachine.attach(arguments[0]);
    try {
      machine.loadAgent(arguments[1], "");
    } finally {
      machine.detach();
    }
  }
}
