"""The agent of a PoP host: carries out orders, and keeps its PoP safe when nobody gives any."""
