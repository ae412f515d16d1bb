"""``become_exabgp.py POP_JSON FOLDER HOLD GRACEFUL`` does what ``ambicast-agent exabgp`` does."""

import sys
from pathlib import Path

import msgspec

from agents.bgp import bridge
from agents.bgp.configuration import Speaker, default_router_id
from agents.bgp.launch import run_exabgp
from ambicast.model.pops import Pop

pop_file, folder, hold, graceful = sys.argv[1:]
pop = msgspec.json.decode(Path(pop_file).read_bytes(), type=Pop)
speaker = Speaker(
    pop=pop,
    asn=64500,
    provider_asn={"north": 64603, "south": 64604},
    router_id=default_router_id(pop) if pop.uplinks else "10.3.1.2",
    bridge=f"{folder}/exabgp.sock",
    python=sys.executable,
    script=bridge.__file__,
    hold=int(hold),
    graceful=int(graceful),
    responder=f"{folder}/responder.sock",
)
run_exabgp(speaker, Path(folder))
