"""The one central program: decides where traffic should go and in which order to get there.

``world`` (what we believe) < ``planning`` (where traffic should go) < ``choreography`` (in which
order) are pure; ``loop`` turns observations into commands; the rest are adapters.
"""
