"""Examines the running server: asks, at an address that answers, and compares."""

from __future__ import annotations

from collections.abc import Sequence

from agents.answering.proofs import Proof, Question
from agents.nameserver.queries import Answers, SilentError, ask


class ExaminationError(Exception):
    """The server does not answer, or not what it shall; the text says to what and with what."""


class Examiner:
    """Asks the server at ``addresses``, first where it answered last.

    An uplink that is down may have taken its address along; the others are the same server.
    """

    def __init__(self, addresses: Sequence[str], port: int) -> None:
        self._addresses = list(addresses)
        self._port = port

    async def ask(self, questions: Sequence[Question]) -> Answers:
        """The answers from the first address that answers; :class:`ExaminationError` if none."""
        silent: list[str] = []
        for server in tuple(self._addresses):
            try:
                answers = await ask(server, self._port, questions)
            except SilentError as fault:
                silent.append(str(fault))
                continue
            self._addresses.remove(server)
            self._addresses.insert(0, server)
            return answers
        raise ExaminationError("; ".join(silent) or "this nameserver has no addresses")

    async def examine(self, proofs: Sequence[Proof]) -> None:
        """All ``proofs`` must hold; :class:`ExaminationError` has the first that does not."""
        answers = await self.ask([proof.question for proof in proofs])
        wrong = [proof for proof in proofs if answers[proof.question] != proof.expected]
        if wrong:
            question, expected = wrong[0].question, wrong[0].expected
            raise ExaminationError(
                f"{len(wrong)} of {len(proofs)} answers are wrong; {question} should get "
                f"{expected}, got {answers[question]}"
            )
