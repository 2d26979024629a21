package io.camhook.agent.yaml;

/**
 * A single value and where it stands.
 *
 * @param text the value as written, without quotes
 * @param at place in the file, or the option that said it
 * @param key dotted key
 */
record Scalar(String text, String at, String key) {}
