package jwtclient

// RefusesToken is for the fuzz target.
var RefusesToken = refusesToken
