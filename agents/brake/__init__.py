"""Break-glass: what an operator on the host may do without broker or controller."""
