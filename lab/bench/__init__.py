"""Named benchmarks: scenarios run together, and figures with bounds drawn from them."""
