"""`/__admin/accounts`: who calls, what they may and what they have paid."""

from collections.abc import Iterator, Mapping
from hashlib import blake2b

from mockserver.admin.asked import Asked, refusing
from mockserver.jsontext import Json
from mockserver.prices import find_current
from mockserver.problems import EmulatorProblem
from mockserver.spec.admin_bodies import account_schema
from mockserver.state.accounts import Account
from mockserver.state.clock import isoformat
from mockserver.state.ledger import KEPT_PER_ACCOUNT, ledger_key
from mockserver.state.outputs import StoredPicture
from mockserver.state.values import as_json, replace

DIRECT = ("state", "plan", "credits")  # fields of every account; all else are its flags
HIDDEN = {"flags", "entries", "held"}  # how an account is kept, which is nobody's business


def show_all(asked: Asked) -> Json:
    """List the accounts that the fixtures list or somebody has used, each with its balance."""
    rows: list[Json] = []
    for provider in asked.catalog.providers.values():
        for key, stored in asked.world.accounts.known(provider.name).items():
            account = find_current(provider, asked.world, stored)
            is_public = asked.world.accounts.is_in_fixtures(provider.name, key)
            shown = key if is_public else asked.redaction.key(key)
            unit = provider.credits.unit if provider.credits else None
            own = {"state": account.state, "plan": account.plan, "credits": account.credits, "unit": unit}
            rows.append({"provider": provider.name, "key": shown, **own})
    return {"accounts": rows}


def forget(asked: Asked) -> Json:
    """Forget one account alone: its changes, charges, windows, jobs and pictures."""
    asked.world.forget(_account(asked))
    return show(asked)


def show(asked: Asked) -> Json:
    """Show an account with its ledger, newest entry last."""
    account = _account(asked)
    known = range(max(0, account.entries - KEPT_PER_ACCOUNT) + 1, account.entries + 1)
    entries = [asked.world.ledger.get(ledger_key(account.id, number)) for number in known]
    ledger = [
        {**as_json(each), "at": isoformat(each.at_s)} for each in entries if each and each.number in known
    ]
    shown = {name: value for name, value in as_json(account).items() if name not in HIDDEN}
    flags = asked.redaction.members(account.flags)
    return {**shown, "key": asked.redaction.key(account.key), "enforce": [], **flags, "ledger": ledger}


def change(asked: Asked) -> Json:
    """Change what the body names; everything else stays."""
    _check_key(asked)
    flags, pictures = dict(asked.body(account_schema(asked.provider()))), dict[str, StoredPicture]()
    if "assets" in flags:
        assets = flags["assets"].items()
        flags["assets"] = {name: _stored(f"assets.{name}", asset, pictures) for name, asset in assets}
    for name, file in _files(flags):
        if file not in pictures and asked.world.picture(file) is None:
            detail = f"{name}: there is no picture {file!r:.80}; name one of fixtures/images, or send data"
            raise EmulatorProblem(400, "Unknown picture", detail)
    for key, picture in pictures.items():
        asked.world.pictures.put(key, picture)
    direct = {name: flags.pop(name) for name in DIRECT if name in flags}

    def changed(_stored: Account) -> Account:
        account = _account(asked)  # as it is this month
        return replace(account, **direct, flags={**account.flags, **flags})

    asked.world.accounts.update(_account(asked), changed)
    return show(asked)


def _check_key(asked: Asked) -> None:
    """Raise EmulatorProblem for a key that no request can come with."""
    key, prefix = asked.values["key"], asked.provider().keys.prefix
    why = ""
    if not (key.isprintable() and key.isascii() and key == key.strip()):
        why = "a key is printable ASCII without blanks around it, or no header can hold it"
    elif prefix and not key.startswith(prefix):
        why = f"a key of {asked.provider().title} begins with {prefix}, so no call can come with this one"
    if why:
        raise EmulatorProblem(400, "Impossible key", f"{key!r:.80}: {why}")


def _account(asked: Asked) -> Account:
    provider = asked.provider()
    account = asked.world.accounts.find(provider.name, asked.values["key"])
    return find_current(asked.readings.provider(provider.name, asked.world, account), asked.world, account)


def _stored(name: str, asset: Mapping[str, Json], pictures: dict[str, StoredPicture]) -> dict[str, Json]:
    """Give a saved asset that names its picture; one that was sent along is put to `pictures`."""
    if "data" not in asset:
        return dict(asset)
    from mockserver.imaging.reading import shrink_data_url  # noqa: PLC0415 - Pillow is slow to import

    key = blake2b(asset["data"].encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()
    with refusing("Unreadable picture", f"{name}.data: "):
        pictures[key] = StoredPicture(key=key, small=shrink_data_url(asset["data"]))
    return {**{option: value for option, value in asset.items() if option != "data"}, "file": key}


def _files(flags: Mapping[str, Json]) -> Iterator[tuple[str, str]]:
    for name, asset in flags.get("assets", {}).items():
        yield f"assets.{name}.file", asset["file"]
    for name, chosen in flags.get("reference_sets", {}).items():
        yield from ((f"reference_sets.{name}.files", file) for file in chosen["files"])
