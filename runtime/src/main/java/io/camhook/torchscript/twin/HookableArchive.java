package io.camhook.torchscript.twin;

/**
 * An archive for captures and hooks, ready to be written.
 *
 * @param archive the copy, and the methods that captures use
 * @param hooks the methods that hooks use; without sites if the archive calls no module
 */
public record HookableArchive(InstrumentedArchive archive, HookPlan hooks) {}
