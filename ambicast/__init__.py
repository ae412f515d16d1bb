"""The language both programs speak and the promises both keep.

Importing it needs no network and does nothing. Three layers, each may use those below it:
``contract`` (what travels) > ``invariants`` (what must hold) > ``model`` (the nouns).
Beside them what both programs do with the world outside: ``files`` reads the fleet file from disk,
``broker`` connects to MQTT, ``notify`` tells the service manager.
"""
