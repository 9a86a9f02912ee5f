"""In whose voice it is told what a step has raised: that of the API which was meant, or our own.

Bugs of ours are raised again where that is wanted; else the log has them, and the answer is a 500.
"""

import logging

from mockserver.call import Door, Match
from mockserver.messages import Request
from mockserver.nomatch import NoMatch
from mockserver.problems import EmulatorProblem, Problem, ProblemType, told_of_bug
from mockserver.readings import Readings
from mockserver.spec.model import Provider
from mockserver.state.world import World

log = logging.getLogger("mockserver")


def voice_of(
    error: Exception,
    match: Match | Door | None,
    request: Request,
    world: World,
    readings: Readings,
    *,
    raises_bugs: bool,
) -> tuple[Provider, Problem] | EmulatorProblem:
    """Give whose words an error is told in, and what is told there; or what we say ourselves."""
    if isinstance(error, EmulatorProblem):
        return error
    if isinstance(error, NoMatch):
        meant = error.provider
        return (readings.provider(meant.name, world), error.problem) if meant else error.told
    if not isinstance(error, Problem):
        if raises_bugs:
            raise error
        log.error("a bug of mockserver in %s %s", request.method, request.path, exc_info=error)
    if not isinstance(match, Match):
        return told_of_bug(error)
    return match.provider, error if isinstance(error, Problem) else Problem(ProblemType.INTERNAL)
