"""Which exchanges are meant; a misspelt operation is an error, not an empty list."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from mockserver.call import Exchange
from mockserver.downloads import NAME as DOWNLOAD
from mockserver.spec.catalog import Catalog
from mockserver.spec.explain import nearest


def known_operations(catalog: Catalog, pattern: str) -> list[str]:
    """Give the operations that a name or a pattern (`pikzels.*`) means. Raises LookupError for none."""
    known = [*(each.name for each in catalog.operations), DOWNLOAD]
    found = [name for name in known if fnmatchcase(name, pattern)]
    if not found:
        raise LookupError(f"there is no operation {pattern!r}; {nearest(pattern, known)}")
    return found


def select(
    exchanges: Iterable[Exchange],
    catalog: Catalog,
    operation: str | None = None,
    *,
    status: int | None = None,
    account: str | None = None,
) -> list[Exchange]:
    """Give the exchanges that are meant; None means any. Raises LookupError for an unknown operation.

    An account is meant by its key, or by its provider and its key: `pikzels/pkz_test`.
    """
    names = None if operation is None else set(known_operations(catalog, operation))
    return [
        each
        for each in exchanges
        if (names is None or each.operation in names)
        and (status is None or (each.response is not None and each.response.status == status))
        and (account is None or (each.account is not None and account in {each.account.key, each.account.id}))
    ]
