"""Configurations of the transits' routers: one plan, said in BIRD's words or in FRR's."""
