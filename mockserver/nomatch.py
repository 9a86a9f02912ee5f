"""What is raised where a request means no operation: by the router, and for one that a reading withdraws."""

from dataclasses import dataclass

from mockserver.problems import EmulatorProblem, Problem, Violation
from mockserver.spec.model import Provider


@dataclass(slots=True)
class NoMatch(Exception):  # noqa: N818 - a Problem that knows in whose voice it is told
    """No operation was found; `provider` is whose API the caller most likely meant, None for nobody's."""

    provider: Provider | None
    problem: Problem

    @property
    def violations(self) -> tuple[Violation, ...]:
        """What there is no path or method for."""
        return self.problem.violations

    @property
    def told(self) -> EmulatorProblem:
        """The same in our own voice, where it is nobody's API that was meant."""
        return EmulatorProblem(404, "Unknown path", self.violations[0].message, violations=self.violations)
