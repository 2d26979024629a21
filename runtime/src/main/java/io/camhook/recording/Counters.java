package io.camhook.recording;

/**
 * How the captures of one run ended. {@code fired} is the sum of the other three.
 *
 * @param fired passes that were captured
 * @param written captures that reached the sink
 * @param dropped captures given up because the queue was full or closed
 * @param failed captures lost to an error
 */
public record Counters(long fired, long written, long dropped, long failed) {
  public static final Counters NONE = new Counters(0, 0, 0, 0);
}
