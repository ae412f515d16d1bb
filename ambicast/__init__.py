"""The language both programs speak and the promises both keep.

Importing it needs no network and does nothing. Three layers, each may use those below it:
``contract`` (what travels) > ``invariants`` (what must hold) > ``model`` (the nouns).
``ambicast.files`` reads the fleet file from disk.
"""
