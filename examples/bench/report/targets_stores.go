package main

import "fmt"

// stores are the columns of the table of stores, and storeTitles their heads.
var (
	stores      = []string{"redis", "sqlite", "postgres", "mariadb"}
	storeTitles = []string{"Redis", "SQLite", "PostgreSQL", "MariaDB"}
)

// storeTargets are the limits that this project promises for sessions in a store, in the
// order of stores.
var storeTargets = []target{
	{"rotations, 1 caller: rate ÷ plain script's or UPDATE's", rotations(1), []float64{0.80, 0.50, 0.50, 0.50}, true, ratio},
	{"rotations, 64 callers: rate ÷ plain script's or UPDATE's", rotations(64), []float64{0.80, 0.50, 0.50, 0.50}, true, ratio},
	{"end of a session: time ÷ a rotation's", besideRotation("End"), []float64{5, 5, 5, 5}, false, ratio},
	{"list of 100 sessions: time ÷ a rotation's", besideRotation("List"), []float64{35, 35, 8, 8}, false, ratio},
	{"start of a process with 100,000 revocations", start, []float64{3e9, 3e9, 3e9, 3e9}, false, duration},
}

// rotations returns how many rotations a store makes in the time of a plain script of
// Redis, or of a plain UPDATE of a database.
func rotations(callers int) func(r round, store string) float64 {
	return func(r round, store string) float64 {
		of := "Advance/" + store
		if store == "redis" {
			of = "BesidePlain/Rotation"
		}
		return r.value(fmt.Sprintf("%s/callers=%d", of, callers), "ratio")
	}
}

func besideRotation(benchmark string) func(r round, store string) float64 {
	return func(r round, store string) float64 { return r.value(benchmark+"/"+store, "ratio") }
}

func start(r round, store string) float64 {
	return r.value("Start/revocations=100000/"+store, "ns/op")
}
