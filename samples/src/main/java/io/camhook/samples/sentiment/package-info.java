/**
 * A small classifier of sentences: an embedding, one attention, a mean over words. Its training in
 * DJL, its export, a program that names the sentiment of texts.
 */
package io.camhook.samples.sentiment;
