/** Programs that camhook's packaged agent is tried with. */
package app;
