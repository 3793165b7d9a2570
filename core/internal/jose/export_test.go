package jose

// Decode decodes base64url.
var Decode = decode

// ParseClaims returns the claims in payload.
func ParseClaims(payload string, rolesPath []string) (*Claims, error) {
	c := new(Claims)
	if err := c.Parse(payload, rolesPath); err != nil {
		return new(Claims), err
	}
	return c, nil
}
