"""Work that takes a while: jobs that begin with a call and end by the clock.

How long a job takes and how it ends stands in the table's `jobs`; a caller may order another end. `start` and
`read` need no Python: they answer from the document, with the job's own id and status.
"""

from collections.abc import Callable
from typing import Any

from mockserver.behaviours.generate import echo, generate, success
from mockserver.call import Call, Result
from mockserver.problems import Location, ProblemType
from mockserver.seeded import Random
from mockserver.spec.marks import AnswerMember, ParameterName
from mockserver.spec.rows import MANUAL, Jobs, Row
from mockserver.state.resources import Resource

MOST_IDS = 2**31 - 1  # where ids are numbers
MOST_DRAWS = 100  # of an id that nothing has: of numbers, two of fifty thousand jobs are the same by chance


class StartSettings(Row, frozen=True, kw_only=True):
    """What a table sets for `start`."""

    id: AnswerMember = "id"
    status: AnswerMember = "status"


class ReadSettings(Row, frozen=True, kw_only=True):
    """What a table sets for `read`."""

    id: ParameterName = "id"
    status: AnswerMember = "status"


def start(call: Call, *, job: str, jobs: Jobs, settings: StartSettings) -> Result:
    """Begin a job, and answer with a value from the document that has its id and its status."""
    documented, result, random = success(call.operation.responses)[0], generate(call), call.random
    body = {**result.body, settings.status: jobs.running} if isinstance(result.body, dict) else {}
    for label in ("job", *(f"job {number}" for number in range(2, MOST_DRAWS))):
        ids = [random.uuid(label), random.hex(label, 24), random.whole(label, 1, MOST_IDS)]
        made = [body | {settings.id: id_} for id_ in ids]
        fitting = (each for each in made if documented.schema is None or documented.schema.accepts(each))
        begun = next(fitting, made[0])
        resource = start_job(call, jobs, job, str(begun[settings.id]), {"said": {**call.body, **begun}})
        if call.world.resources.put_if_unchanged(resource.id, resource, None):
            return result._replace(body=begun, job=resource.id)
    raise call.problem(ProblemType.INTERNAL, f"no {settings.id} is free")


def read(call: Call, *, settings: ReadSettings) -> Result:
    """Answer with a value from the document that has a job's status, and says the same each time."""
    id_ = str({**call.arguments.query, **call.arguments.path}.get(settings.id))
    resource = _checked(call, call.world.resources.get(id_), "this account has no", settings.id)
    stable = call._replace(random=Random.from_text(str(call.world.seed), resource.id))
    result, documented = generate(stable), success(call.operation.responses)[0]
    status = resource.status(call.world.clock.now())
    told = echo(result.body, resource.fields.get("said", {}), documented)
    return result._replace(body={**told, settings.status: status} if isinstance(told, dict) else told)


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


def find_resource(call: Call, id_: str) -> Resource | None:
    """Give a resource, of anybody, by its id; None where there is none."""
    _furnish(call)
    return call.world.resources.get(id_)


def find_owned(call: Call, message: str) -> Resource:
    """Give the resource that the path names, if it is the caller's. Raises Problem with `message`."""
    return _checked(call, find_resource(call, call.arguments.path["id"]), message)


def change_owned(call: Call, message: str, change: Callable[[Resource], Resource | None]) -> Resource | None:
    """Change the caller's own resource, or remove it where `change` gives None; otherwise as `find_owned`."""
    _furnish(call)
    resources = call.world.resources
    return resources.update(call.arguments.path["id"], lambda known: change(_checked(call, known, message)))


def _furnish(call: Call) -> None:
    """Put what fixtures list of the caller into the world, once: what is removed stays so until a reset."""
    jobs, world, account = call.provider.jobs, call.world, call.account
    listed = account.flag(jobs.listed) if jobs and jobs.listed else None
    for id_, row in (listed or {}).items():
        if jobs and world.furnished.put_if_unchanged(f"{account.id}/{id_}", 1, None):
            now_s, kind, fields = world.clock.now(), row["kind"], row["fields"]
            made = Resource(id_, kind, account.id, now_s, 0, jobs.success, jobs.running, fields)
            world.resources.put(id_, made)


def _checked(call: Call, resource: Resource | None, message: str, name: str = "id") -> Resource:
    if resource is None or resource.account != call.account.id:
        place: Location = "path" if name in call.arguments.path else "query"
        text = f"{message} {str(getattr(call.arguments, place).get(name))[:60]}"
        raise call.problem(ProblemType.RESOURCE_UNKNOWN, text, name=name, location=place)
    return resource
