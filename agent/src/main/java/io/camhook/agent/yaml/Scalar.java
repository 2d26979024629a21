package io.camhook.agent.yaml;

/**
 * A single value and its location.
 *
 * @param text the value as written, without quotes
 * @param at location in the file, or the option that set it
 * @param key dotted key
 */
record Scalar(String text, String at, String key) {}
