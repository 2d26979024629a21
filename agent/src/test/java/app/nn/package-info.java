/** Plain Java networks of many shapes; nothing here knows camhook. */
package app.nn;
