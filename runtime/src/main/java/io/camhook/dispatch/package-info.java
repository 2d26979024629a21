/** What woven bytecode calls: the active flag and the seams that adapters plug into. */
@NullMarked
package io.camhook.dispatch;

import org.jspecify.annotations.NullMarked;
