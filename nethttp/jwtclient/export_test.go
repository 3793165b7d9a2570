package jwtclient

// RefusesToken exports refusesToken to TestChallenges and FuzzChallenges.
var RefusesToken = refusesToken
