/** Measurements against the budgets of the design, as ratios taken within one run. */
@NullMarked
package io.camhook.benchmarks;

import org.jspecify.annotations.NullMarked;
