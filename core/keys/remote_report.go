package keys

import (
	"strings"

	"github.com/jwtgate/jwtgate/core/internal/keyaccess"
)

// report logs and reports the result of a fetch, as far as it differs from the previous
// one.
func (r *remoteSource) report(before *table, next *fetched, skipped []error, err error) {
	issuer, logger := r.options.Issuer, r.options.Logger
	report := func(kind keyaccess.ChangeKind, cause error) {
		r.options.Report(r.ctx, &keyaccess.Change{Kind: kind, Issuer: issuer, Err: cause})
	}
	for _, cause := range skipped {
		logger.WarnContext(r.ctx, "a key of a JWK Set is skipped", "issuer", issuer, "cause", cause)
		report(keyaccess.Skipped, cause)
	}
	if err != nil {
		logger.ErrorContext(r.ctx, "keys cannot be fetched", "issuer", issuer, "cause", err)
		report(keyaccess.Unavailable, err)
		return
	}
	added, removed := next.table.missingIn(before), before.missingIn(next.table)
	if len(added)+len(removed) > 0 {
		logger.InfoContext(r.ctx, "keys have changed", "issuer", issuer, "added", strings.Join(added, " "), "removed", strings.Join(removed, " "))
		report(keyaccess.Changed, nil)
	}
}
