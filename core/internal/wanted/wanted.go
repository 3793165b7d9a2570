// Package wanted says in words what a token must say. Refusals that explain themselves
// use these words, and so does the command that explains tokens.
package wanted

// The requirements follow the name of a claim or of a member of the header.
const (
	Type      = "must be at+jwt, JWT or absent"
	Algorithm = "must be the algorithm of a key in Keys"
	Issuer    = "must equal Config.Issuer or the Name of a TrustedIssuer exactly, slashes included"
	Audience  = "must name an audience of the issuer (Audience, OtherAudiences)"
	Subject   = "must be a string that is not empty, or a whole number"
	Expires   = "must be there, because tokens that never expire are not accepted"
	Future    = "must be in the future"
	Lifetime  = "must be at most MaxLifetime"
	Past      = "must not be further in the future than ClockSkew"

	OtherSubject  = "if another claim has it, set SubjectClaim"
	OtherAudience = "if another claim has it, set AudienceClaim"
)
