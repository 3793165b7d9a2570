package jwtgate

import (
	"context"
	"hash/maphash"
	"net/netip"
	"strings"
	"sync"
	"time"
)

// A PasswordLimiter is a [LoginLimiter] that counts wrong passwords, by account name
// and by client address, in the memory of this process. While there are too many for
// a name or an address, logins with it are refused, those with the right password
// included. A refused login does not count, and a right password does not reset a
// counter. Whether an account exists makes no difference. The zero value is ready to
// use. A PasswordLimiter is safe for concurrent use and must not be copied. Several
// processes count separately.
//
// Each counter is a leaky bucket: at a limit of 30, a failure is forgotten every two
// seconds, and a name that has none can fail 30 times in a row. So nobody is locked
// out for ever, but while someone keeps guessing the password of an account from
// anywhere, its owner has to compete for one login every two seconds. Sessions that
// were opened before go on: refreshes are not limited.
//
// A check in progress counts as a failure until its result is known, so that parallel
// guesses are not more than others. A login that would be refused only because of
// such checks waits for them.
//
// The counters are two count-min sketches (Cormode and Muthukrishnan, 2005) with
// conservative update, of 256 KiB each. They never grow, whatever names clients make
// up, and never count less than there was. They count more for a name only if it
// shares each of its four cells with others that fail; for 2,000 failures a second,
// spread over any number of names, that is unlikely. Checks of passwords are
// deliberately slow, so that there cannot be that many.
type PasswordLimiter struct {
	_ [0]func()

	// Failures is the number of wrong passwords a minute for one account name. It is
	// at most 100000. The default is 30.
	Failures int

	// AddressFailures is the number of wrong passwords a minute from one address, or
	// from one IPv6 network of 64 bits, because that is what one client has. Logins
	// whose address is not known are limited by name only. Behind a proxy, set
	// [Config.ClientAddress]: otherwise all clients have the address of the proxy, and
	// share this limit. It is at most 100000. The default is ten times Failures.
	AddressFailures int

	// Account, if not nil, returns the same text for all names of an account. Set it
	// if the application accepts variants of a name, such as with and without accents:
	// otherwise each variant can be guessed as often. The default ignores case and
	// spaces around the name. It must be safe for concurrent use.
	Account func(username string) string

	// Now is the clock, for tests. The default is [time.Now].
	Now func() time.Time

	once      sync.Once
	seed      maphash.Seed
	start     time.Time
	mu        sync.Mutex
	names     *failureSketch
	addresses *failureSketch
	waiting   int           // the number of logins that wait for changed
	changed   chan struct{} // closed when a check is over, if a login waits
}

const (
	defaultFailures = 30
	maxFailures     = 100_000
)

// Begin is the method of [LoginLimiter]. A handler of the application that checks
// passwords itself, and calls [Auth.SignIn], can call it too.
func (l *PasswordLimiter) Begin(ctx context.Context, login LoginAttempt) (done func(wrong bool), wait time.Duration, err error) {
	l.once.Do(l.init)
	name := l.names.cellsOf(maphash.String(l.seed, l.account(login.Username)))
	address := sketchCells{}
	if login.Address.IsValid() {
		address = l.addresses.cellsOf(hashAddress(l.seed, login.Address))
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for {
		now := l.elapsed()
		if wait := max(l.names.wait(name, now), l.addresses.wait(address, now)); wait > 0 {
			return nil, wait, nil
		}
		if l.names.free(name, now) && l.addresses.free(address, now) {
			break
		}
		if err := l.await(ctx); err != nil {
			return nil, 0, err
		}
	}
	l.names.hold(name, 1)
	l.addresses.hold(address, 1)
	var once sync.Once
	return func(wrong bool) { once.Do(func() { l.end(name, address, wrong) }) }, 0, nil
}

func (l *PasswordLimiter) init() {
	failures, addressFailures := l.limits()
	l.names, l.addresses = newFailureSketch(failures), newFailureSketch(addressFailures)
	l.seed = maphash.MakeSeed()
	l.start = l.now()
}

// limits returns the two limits, within their bounds.
func (l *PasswordLimiter) limits() (failures, addressFailures int) {
	failures = min(l.Failures, maxFailures)
	if failures <= 0 {
		failures = defaultFailures
	}
	addressFailures = min(l.AddressFailures, maxFailures)
	if addressFailures <= 0 {
		addressFailures = min(10*failures, maxFailures)
	}
	return failures, addressFailures
}

// check adds the mistakes in l.
func (l *PasswordLimiter) check(wrong *mistakes) {
	if l == nil {
		wrong.add("Sessions.Limiter", "is a nil *PasswordLimiter: use &jwtgate.PasswordLimiter{}, or leave Limiter unset for no limit")
		return
	}
	if l.Failures < 0 || l.Failures > maxFailures {
		wrong.add("Sessions.Limiter.Failures", "is %d: use a number from 1 to %d, or 0 for %d", l.Failures, maxFailures, defaultFailures)
	}
	if l.AddressFailures < 0 || l.AddressFailures > maxFailures {
		wrong.add("Sessions.Limiter.AddressFailures", "is %d: use a number from 1 to %d, or 0 for ten times Failures", l.AddressFailures, maxFailures)
	}
}

// end records the result of a check.
func (l *PasswordLimiter) end(name, address sketchCells, wrong bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.names.hold(name, -1)
	l.addresses.hold(address, -1)
	if wrong {
		now := l.elapsed()
		l.names.add(name, now)
		l.addresses.add(address, now)
	}
	if l.waiting > 0 {
		close(l.changed)
		l.changed, l.waiting = nil, 0
	}
}

// await unlocks l.mu until a check is over, or returns the error of ctx.
func (l *PasswordLimiter) await(ctx context.Context) error {
	if l.changed == nil {
		l.changed = make(chan struct{})
	}
	l.waiting++
	changed := l.changed
	l.mu.Unlock()
	defer l.mu.Lock()
	select {
	case <-changed:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

func (l *PasswordLimiter) account(username string) string {
	if l.Account != nil {
		return l.Account(username)
	}
	return strings.ToLower(strings.ToUpper(strings.TrimSpace(username))) // both ways, because "ſ" is lower case
}

func (l *PasswordLimiter) now() time.Time {
	if l.Now != nil {
		return l.Now()
	}
	return time.Now()
}

// elapsed returns the time since l was first used. A step of the system's clock does
// not change it.
func (l *PasswordLimiter) elapsed() time.Duration { return l.now().Sub(l.start) }

// hashAddress returns the hash of an IPv4 address or of the network of an IPv6 one.
func hashAddress(seed maphash.Seed, addr netip.Addr) uint64 {
	bits := addr.Unmap().AsSlice()
	return maphash.Bytes(seed, bits[:min(len(bits), 8)])
}
