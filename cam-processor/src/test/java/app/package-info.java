/** Programs of users, which the tests start in processes of their own. */
package app;
