/** Bytecode weaving: which methods are instrumented and the advice inlined into them. */
@NullMarked
package io.camhook.agent.weave;

import org.jspecify.annotations.NullMarked;
