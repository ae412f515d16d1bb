"""The only room that knows FRR's bfdd: forwarding to each neighbor, watched by BFD (RFC 5880)."""
