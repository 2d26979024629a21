/** Applications that the integration tests start under the agent; nothing here knows camhook. */
package app;
