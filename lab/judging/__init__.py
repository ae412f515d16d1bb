"""The verdict: what a lab run was measured to do, beside what it was expected to do."""
