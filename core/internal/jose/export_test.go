package jose

// Decode decodes base64url.
var Decode = decode

// ParseClaims returns the claims in payload, with the roles at rolesPath.
func ParseClaims(payload string, rolesPath []string) (*Claims, error) {
	if rolesPath == nil {
		return ParseLayout(payload, nil)
	}
	return ParseLayout(payload, NewLayout(nil, nil, rolesPath))
}

// ParseLayout returns the claims in payload.
func ParseLayout(payload string, layout *Layout) (*Claims, error) {
	c := new(Claims)
	if err := c.Parse(payload, layout); err != nil {
		return new(Claims), err
	}
	return c, nil
}
