"""The immutable nouns of the fleet: prefixes, routes, PoPs, services, client groups."""
