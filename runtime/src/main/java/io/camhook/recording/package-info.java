/** The recording on disk: safetensors codec, tar shards, recovery, reader. */
@NullMarked
package io.camhook.recording;

import org.jspecify.annotations.NullMarked;
