"""A conversation with a scripted ExaBGP, and the words it is expected to use."""

from agents.bgp.conversation import Conversation
from agents.bgp.difference import placed
from ambicast.model.routes import Advertisement
from tests.agents_bgp import said

NORTH4, NORTH6, SOUTH4, SOUTH6 = "10.3.1.1", "fd00:3:0:1::1", "10.4.1.1", "fd00:4:0:1::1"
SHOW_RIB, SHOW_SESSIONS = "show adj-rib out json", "show neighbor json"
P, Q = "198.18.0.0/22", "198.18.4.0/22"


def announce(neighbor, *prefixes):
    start = f"neighbor {neighbor} announce attributes next-hop self as-path [ 64500 ]"
    return f"{start} nlri {' '.join(prefixes)}"


def withdraw(neighbor, prefix):
    return f"neighbor {neighbor} withdraw attributes next-hop self nlri {prefix}"


def flush(neighbor):
    return f"neighbor {neighbor} flush adj-rib out"


def end(neighbor):
    return f"neighbor {neighbor} announce eor {family(neighbor)}"


class Talk:
    """A conversation, what it said since last asked, and a clock set by hand."""

    def __init__(self, sessions, **choices):
        self.now = 100.0
        self._said = []
        self._sessions = sessions
        self.talk = Conversation(sessions, self._said.append, self.now, **choices)

    def said(self):
        lines = "".join(self._said).splitlines()
        self._said.clear()
        return lines

    def hear(self, *lines):
        for line in lines:
            self.talk.hear(line, self.now)

    def want(self, *prefixes, uplink="north"):
        wanted = {Advertisement(each, uplink) for each in prefixes}
        self.talk.want(placed(wanted, self._sessions, 64500), self.now)

    def tick(self, seconds=1.0):
        """Time passes; ExaBGP lives."""
        self.now += seconds
        said = len(self._said)
        self.talk.tick(self.now)
        if self._said[said:] and self._said[-1] == "enable-ack\n":
            self._said.pop()
            self.hear("done")

    def attach(self, *rows, state="ESTABLISHED"):
        peers = [(each, state, [family(each)]) for each in (NORTH4, NORTH6, SOUTH4, SOUTH6)]
        self.hear("done", said.table(*peers), "done", *rows, "done")
        return self.said()


def family(peer):
    return "ipv6 unicast" if ":" in peer else "ipv4 unicast"
