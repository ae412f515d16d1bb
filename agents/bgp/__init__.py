"""The only room that knows ExaBGP: its configuration, bridge, language, and the session to it."""
