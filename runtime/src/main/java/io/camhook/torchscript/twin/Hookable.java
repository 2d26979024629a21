package io.camhook.torchscript.twin;

/**
 * An archive for captures and hooks, ready to be written.
 *
 * @param archive the copy, and what captures use of it
 * @param hooks what hooks use of it; without sites if it calls no module
 */
public record Hookable(Instrumented archive, HookPlan hooks) {}
