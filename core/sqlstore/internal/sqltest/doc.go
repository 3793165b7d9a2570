// Package sqltest has the tests of package sqlstore that need drivers and servers of
// databases. It is a module of its own, so that package sqlstore requires no driver.
package sqltest
