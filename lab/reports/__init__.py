"""Results for people: one page per scenario, with a table and the timeline drawn."""
