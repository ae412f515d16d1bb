"""Client load: requests on a fixed schedule, and what became of each of them."""
