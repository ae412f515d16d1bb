"""What this nameserver shall answer now: decisions only, no IO, no clock.

An answer is found in two steps that change at different speeds. The *client map* (slow) leads from
the client's prefix to its group; the *group's records* (fast) hold the addresses the group is
given. A PoP that fails changes a few group records and never the map.
"""
