package io.camhook.config;

/** The settings of a sink other than the directory, such as {@link KafkaOutput}. */
public interface SinkSettings {}
