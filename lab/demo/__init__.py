"""`./dev up`: the whole system in a lab, clients asking, both layers live on one screen."""
