/** A servlet for tests. */
package app.web;
