"""In which order to get from here to the target, each step settling when its effect is observed.

The words: a *posture* is how one PoP's prefixes and answers stand (who advertises what, who is
given clients). A *step* holds one posture until its effect is seen; a *plan* is a list of steps
for one PoP; a *phase* says which plan it is in or has finished. Orders and answers are pure
functions of all postures together, so that carrying out a plan is only: move to the next posture,
derive, send what changed, look. Pure: no IO, no clock, no dice.
"""
