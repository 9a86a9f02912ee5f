"""What a snapshot holds, looked at before it is put back: no value in it may fail a call later.

Types are read by the state itself; here is what only the tables know: plans, jobs, orders, scenes, pictures.
What belongs to a provider that is not served is left as it is, for no call reaches it.
"""

import base64
import functools
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from mockserver.jsontext import Json
from mockserver.readings import Readings
from mockserver.scenarios import misfit_of
from mockserver.spec.admin_bodies import BEGUN, OUTPUT, account_schema
from mockserver.spec.catalog import Catalog
from mockserver.spec.explain import located
from mockserver.spec.files import SpecificationError
from mockserver.spec.model import Provider
from mockserver.spec.schema import Schema
from mockserver.state.accounts import Account
from mockserver.state.deliveries import BLOCKED, DELIVERED, GIVEN_UP, WAITING, Delivery
from mockserver.state.outputs import Output, StoredPicture
from mockserver.state.plans import Plan
from mockserver.state.resources import Resource
from mockserver.state.values import LAST_S, MOST
from mockserver.state.world import Assumed, World

WHOLE = ("width", "height", "count")  # which JSON Schema would take as 1.0, too
Parts = Mapping[str, Mapping[str, Any]]  # values by collection and key


def check_restored(
    catalog: Catalog, readings: Readings, world: World, assumed: Assumed, parts: Parts
) -> None:
    """Raise ValueError, which names the place, for a value that a snapshot of ours could not hold."""
    try:
        for name, choice in assumed.items():
            readings.choose(name, choice)
    except SpecificationError as error:
        raise ValueError(f"assumed: {error}") from error
    looks: Mapping[str, Callable[[Any], Iterator[str]]] = {
        "seen": _count,
        "furnished": _count,
        "outputs": _output,
        "kept_outputs": _output,
        "pictures": _picture,
        "resources": functools.partial(_resource, catalog),
        "deliveries": _delivery,
        "plans": functools.partial(_plan, catalog),
        "accounts": functools.partial(_account, catalog, world),
    }
    for kind, look in looks.items():
        for key, value in parts[kind].items():
            own = getattr(value, "key" if kind == "pictures" else "id", key)
            if kind != "plans" and own != key:
                raise ValueError(f"{kind}: {key}: it stands under another name than its own, {own}")
            for complaint in look(value):
                raise ValueError(f"{kind}: {key}: {complaint}")


def _count(value: int) -> Iterator[str]:
    if not 0 <= value <= MOST:
        yield f"must be a number from 0 to {MOST}"


def _output(output: Output) -> Iterator[str]:
    shown = {"media_type": output.media_type, "fails": output.fails, "scene": output.scene}
    yield from _violations(OUTPUT, shown)
    yield from _fractions(output.scene, "scene")


def _picture(picture: StoredPicture) -> Iterator[str]:
    from mockserver.imaging.reading import KEPT_PX, open_upright  # noqa: PLC0415 - Pillow is slow to import

    try:
        open_upright(base64.b64decode(picture.small, validate=True), KEPT_PX)
    except ValueError as error:
        yield f"small: {error}"


def _resource(catalog: Catalog, resource: Resource) -> Iterator[str]:
    if resource.created_at_s + max(0, resource.duration_s or 0) > LAST_S:
        yield "duration_s: it ends beyond all time"
    provider = catalog.providers.get(resource.account.partition("/")[0])
    if provider is None or provider.jobs is None:
        return
    jobs, kinds = provider.jobs, _behaviours(provider)
    if resource.running != jobs.running or resource.outcome not in jobs.outcomes:
        yield f"a job of {provider.title} is {jobs.running}, then {' or '.join(jobs.outcomes)}"
    if resource.kind not in kinds:
        yield f"kind must be one of: {', '.join(kinds)}"
    if schema := BEGUN.get(kinds.get(resource.kind, "")):
        yield from _violations(schema, resource.fields, "fields.")
        for name in ("", "dimensions", "scene"):
            yield from _fractions(
                resource.fields.get(name, {}) if name else resource.fields, name or "fields"
            )


def _delivery(delivery: Delivery) -> Iterator[str]:
    known = (WAITING, DELIVERED, GIVEN_UP, BLOCKED)
    if delivery.status not in known:
        yield f"status must be one of: {', '.join(known)}"


def _plan(catalog: Catalog, plan: Plan) -> Iterator[str]:
    for index, order in enumerate(plan.orders):
        if misfit := misfit_of(catalog, order):
            yield f"orders[{index}]: {misfit}"


def _account(catalog: Catalog, world: World, account: Account) -> Iterator[str]:
    provider = catalog.providers.get(account.provider)
    if provider is None:
        return
    said = {"state": account.state, "credits": account.credits, **account.flags}
    if account.plan != world.accounts.untouched(account).plan:  # which may be of a plan that nobody knows
        said["plan"] = account.plan
    yield from _violations(account_schema(provider), said)
    try:
        account.key.encode("latin-1")
    except UnicodeEncodeError:
        yield "key: no header can hold it"


@functools.cache
def _behaviours(provider: Provider) -> Mapping[str, str]:
    """Give what begins each kind of resource."""
    rows = [each.row for each in provider.operations.values()]
    return {row.job: row.behaviour for row in rows if row.job}


def _violations(schema: Schema, value: Json, place: str = "") -> Iterator[str]:
    for each in schema.violations(value):
        yield f"{place}{located(value, each)}"


def _fractions(value: Mapping[str, Json], place: str) -> Iterator[str]:
    for name in WHOLE:
        if isinstance(value.get(name, 0), float):
            yield f"{place}.{name} must be a whole number"
