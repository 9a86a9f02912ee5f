"""`/__admin/jobs`: what is under way, and how it shall end."""

from mockserver.admin.asked import PREFIX, Asked
from mockserver.jsontext import Json
from mockserver.problems import EmulatorProblem
from mockserver.state.clock import isoformat
from mockserver.state.resources import Resource


def show_all(asked: Asked) -> Json:
    """List every job, oldest first."""
    return {"jobs": [_shown(asked, each) for each in asked.world.resources]}


def show(asked: Asked) -> Json:
    """Show one job."""
    return _shown(asked, _job(asked))


def change(asked: Asked) -> Json:
    """End a job in one way or another, or let it run until told otherwise."""
    wanted, world, told = asked.body()["status"], asked.world, _job(asked)
    jobs, now_s = asked.provider(told.account.partition("/")[0]).jobs, world.clock.now()
    known = (jobs.running, *jobs.outcomes) if jobs else ()
    if wanted not in known:
        detail = f"a job of this API is {', '.join(known)}; not {wanted}"
        raise EmulatorProblem(400, "Unknown status", detail)
    if jobs and not jobs.can_end(wanted, told.fields):
        detail = f"a job of one {told.kind} is not {wanted}: it is of one part, which succeeds or fails"
        raise EmulatorProblem(400, "Impossible status", detail)

    def changed(job: Resource | None) -> Resource | None:
        return job and (job.running_on() if wanted == known[0] else job.ended(wanted, now_s))

    if job := world.resources.update(asked.values["id"], changed):
        world.reschedule(job)
    asked.webhooks.run_due(asked.world)
    return show(asked)


def _job(asked: Asked) -> Resource:
    id_ = asked.values["id"]
    job = asked.world.resources.get(id_)
    if job is None:
        raise EmulatorProblem(404, "Unknown job", f"there is no job {id_}; GET {PREFIX}/jobs lists them")
    return job


def _shown(asked: Asked, job: Resource) -> Json:
    now_s = asked.world.clock.now()
    return {
        "id": job.id,
        "kind": job.kind,
        "account": asked.redaction.account(job.account),
        "status": job.status(now_s),
        "share_done": job.share_done(now_s),
        "created": isoformat(job.created_at_s),
        "duration_s": job.duration_s,
    }
