package core

// HeldRevocations returns how many revocations a has in memory.
func (a *Auth) HeldRevocations() int { return int(a.sessions.revoked.held.Load()) }
