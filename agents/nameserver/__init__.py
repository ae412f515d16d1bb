"""The local Knot DNS: started, steered over its control socket, and proven by real queries."""
