"""Work that takes a while: jobs that begin with a call and end by the clock.

How long a job takes and how it ends stands in the table's `jobs`; a caller may order another end.
"""

from collections.abc import Callable
from typing import Any

from mockserver.call import MANUAL, Call
from mockserver.problems import ProblemType
from mockserver.spec.rows import Jobs
from mockserver.state.resources import Resource


def start_job(call: Call, jobs: Jobs, kind: str, id_: str, fields: dict[str, Any]) -> Resource:
    """Begin the job of a call; whoever called it stores the resource."""
    end = call.override.job
    duration_s = jobs.realistic_s if call.settings.is_realistic else jobs.quick_s
    return Resource(
        id=id_,
        kind=kind,
        account=call.account.id,
        created_at_s=call.world.clock.now(),
        duration_s=None if end == MANUAL else duration_s,
        outcome=jobs.success if end is None or end == MANUAL else end,
        running=jobs.running,
        fields=fields,
    )


def find_owned(call: Call, message: str) -> Resource:
    """Give the resource that the path names, if it is the caller's. Raises Problem with `message`."""
    return _checked(call, call.world.resources.get(call.arguments.path["id"]), message)


def change_owned(call: Call, message: str, change: Callable[[Resource], Resource | None]) -> Resource | None:
    """Change the caller's own resource, or remove it where `change` gives None; otherwise as `find_owned`."""
    resources = call.world.resources
    return resources.update(call.arguments.path["id"], lambda known: change(_checked(call, known, message)))


def _checked(call: Call, resource: Resource | None, message: str) -> Resource:
    if resource is None or resource.account != call.account.id:
        text = f"{message} {call.arguments.path['id'][:60]}"
        raise call.problem(ProblemType.RESOURCE_UNKNOWN, text, name="id", location="path")
    return resource
