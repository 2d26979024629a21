/** The offline HTML report: one file with its data inside. */
@NullMarked
package io.camhook.report;

import org.jspecify.annotations.NullMarked;
