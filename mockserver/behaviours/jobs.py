"""Work that takes a while: jobs that begin with a call and end by the clock.

How long a job takes and how it ends stands in the table's `jobs`; a caller may order another end with
`Prefer: job=failed`, or `job=manual` for one that ends when `/__admin/jobs` says so.
"""

from typing import Any

from mockserver.call import Call
from mockserver.problems import OwnProblem, ProblemType, Violation
from mockserver.state.resources import Resource

MANUAL = "manual"


def started(call: Call, id_: str, fields: dict[str, Any]) -> Resource:
    """Begin the job of a call; whoever called it stores the resource. Raises OwnProblem for an end nobody knows."""
    jobs = call.provider.jobs
    wanted = call.preferences.get("job")
    if wanted is not None and wanted not in {*jobs["outcomes"], MANUAL}:
        known = ", ".join([*jobs["outcomes"], MANUAL])
        detail = f"{call.provider.title} has no job={wanted}; there are {known}"
        violation = Violation("header", "/prefer", "preference", detail, "RFC 7240")
        raise OwnProblem(400, "Unknown preference", detail, {"available": known.split(", ")}, (violation,))
    duration_s = jobs["realistic_s" if call.is_realistic else "quick_s"]
    return Resource(
        id=id_,
        kind=call.operation.row.settings["job"],
        account=call.account.id,
        created_at_s=call.world.clock.now(),
        duration_s=None if wanted == MANUAL else duration_s,
        outcome=wanted if wanted not in {None, MANUAL} else jobs["outcomes"][0],
        running=jobs["running"],
        fields=fields,
    )


def owned(call: Call, message: str) -> Resource:
    """Give the resource that the path names, where the caller owns it. Raises Problem with `message` and the id."""
    id_ = call.arguments.path["id"]
    resource = call.world.resources.get(id_)
    if resource is None or resource.account != call.account.id:
        raise call.problem(ProblemType.RESOURCE_UNKNOWN, f"{message} {id_[:60]}", name="id", location="path")
    return resource
