"""Match and Request → the Random of a call: the same request gets the same ids everywhere."""

from mockserver.call import Door, Match
from mockserver.messages import Request
from mockserver.seeded import Random, digest_of
from mockserver.state.accounts import Account
from mockserver.state.world import World


def random_of(match: Match | Door | None, request: Request, account: Account | None, world: World) -> Random:
    """Make the source of a request's ids: the seed, the request, its sender, how often it came before."""
    place = request.path
    if type(match) is Match:
        place = match.operation.name
        if match.path_values:
            place = "\0".join([place, *match.path_values.values()])
    what = f"{world.seed}\0{place}\0{request.query}\0{account.id if account else ''}\0"
    digest = digest_of(what.encode("utf-8", "surrogatepass") + request.body)
    return Random(digest, world.seen.increment(digest.hex()))
