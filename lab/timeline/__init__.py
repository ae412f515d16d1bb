"""One clock for everything that happened: faults, routes, messages, decisions, answers, probes."""
