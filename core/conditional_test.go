package jwtgate_test

// conditional names the header fields that a renewed request is served without.
var conditional = []string{"If-Match", "If-None-Match", "If-Modified-Since", "If-Unmodified-Since", "If-Range", "Range"}
