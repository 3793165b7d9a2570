-- A session is stored as a string with this layout. A hash would cost twice as
-- much, because its reply is a table, and a table in Lua costs more than all
-- other work of a step. The version comes first in every layout, then the other fields
-- that change, and then those that do not, which most steps copy as they are. record.go
-- reads this layout too. The key of a session expires at forget. For a live session,
-- that is idle. The index of an owner is a sorted set of its live sessions, ordered by
-- created.
--
-- This file defines no functions, because a script would define them in every call.
local version = 1
local changing = '>I1I1I1I4I4I8I8I8I8I8I8I1c26' -- see keep
local constant = '>c24c32I4I4c0I4c0I4c0I4c0' -- id, nonce_hash, note, issuer, audience, subject, agent
local up_to_nonce = '>I1I1I1I4I4I8I8I8I8I8I8I1c26c24c32' -- changing, id, nonce_hash
local used_at, forget_at, constant_at, nonce_hash_at = 28, 52, 87, 111
local unreadable = 'the record of a session has version %d, which this version of package redisstore does not know'

-- The reasons of the end, with the numbers that they have in package session.
local signed_out, replayed = 1, 2
