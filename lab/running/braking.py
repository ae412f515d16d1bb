"""`hold`, `withdraw`, `release`: typed on the host, as its operator would in an emergency."""

from __future__ import annotations

from lab.engines.faults import LabError
from lab.engines.running import RunningLab
from lab.nodes.programs import AGENT_FILE


def brake(lab: RunningLab, node: str, word: str) -> None:
    """Give the host's agent, living or not, this command.

    Raises:
        LabError: it did not do it, or not all of it; says what it said.
    """
    argv = ["ambicast-agent", word, "--reason", "scenario", "--config", AGENT_FILE]
    done = lab.exec(node, argv, check=False)
    if done.returncode:
        said = " ".join((done.stdout + done.stderr).split())
        message = f"{word} on {node} ended with {done.returncode}: {said[-300:]}"
        raise LabError(message)
