/**
 * The hooks that a configuration names: {@code stats}, {@code nan-guard}, {@code print}, and the
 * application's own by class name. They know no engine; adapters call them.
 */
@NullMarked
package io.camhook.builtin;

import org.jspecify.annotations.NullMarked;
