package io.camhook.cli;

/**
 * {@code kafka:BOOTSTRAP/TOPIC} of a command line.
 *
 * @param bootstrap {@code host:port,host:port}
 */
record TopicAddress(String bootstrap, String topic) {
  static final String PREFIX = "kafka:";
}
