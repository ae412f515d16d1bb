"""The HTTP API: a thin reading of the loop's view, and the operator's two verbs."""
