"""The plan of faults of a world, and an Override → the Override with what the plan holds for this call."""

from mockserver.call import Call, Override
from mockserver.seeded import Random
from mockserver.spec.model import Provider
from mockserver.state.world import World


def planned(
    own: Override,
    subject: str,
    provider: Provider | None,
    world: World,
    random: Random,
    account: tuple[str, str] | None = None,
) -> Override:
    """Add what the plan of a world holds for a well-formed call; a delay of the call's own stays.

    Of a call that orders an error, a success or a job's end for itself nothing is used up.
    """
    if own.origin or own.job or any(each.startswith("code=") for each in own.applied):
        return own
    order, delay = world.plans.take(
        subject, account, random, lambda name: provider is not None and provider.find_error(name) is not None
    )
    resolved = own._replace(delay_ms=own.delay_ms or delay) if delay else own
    if order is None or order.is_ok:
        return resolved
    row = provider.find_error(order.error) if provider and order.error else None
    return resolved._replace(
        error=row.name if row else None, fault=order.fault, stub=order.stub, origin="plan"
    )


def planned_of_call(own: Override, call: Call) -> Override:
    """Add what the plan holds for an operation."""
    account = (call.account.id, call.account.key)
    return planned(own, call.operation.name, call.provider, call.world, call.random, account)
