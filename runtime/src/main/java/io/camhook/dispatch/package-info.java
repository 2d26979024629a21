/** What woven bytecode calls: the active flag and the interfaces that adapters implement. */
@NullMarked
package io.camhook.dispatch;

import org.jspecify.annotations.NullMarked;
