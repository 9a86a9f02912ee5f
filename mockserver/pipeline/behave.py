"""Call → Result: each operation's rules and behaviour, found by name once, at start-up.

A name without a dot is a shared verb, `provider.verb` is a function of that provider's module; a misspelling
stops the start.
"""

import functools
import importlib
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.call import Behaviour, Call, Referral, Result, Rule
from mockserver.spec.catalog import Catalog
from mockserver.spec.files import SpecificationError
from mockserver.spec.model import Operation

RULES = "mockserver.behaviours.rules"
PACKAGE = "mockserver.behaviours"


@dataclass(frozen=True, slots=True)
class Bound:
    """An operation with the functions that its table names."""

    rules: tuple[
        tuple[str | None, Rule], ...
    ]  # with the field without which the rule is not asked; None: always
    behaviour: Behaviour


def bind(catalog: Catalog) -> Mapping[str, Bound]:
    """Find every function that a table names, by the operation's full name. Raises SpecificationError."""
    bound: dict[str, Bound] = {}
    complaints: list[str] = []
    for operation in catalog.operations:
        place = f"{catalog.providers[operation.provider].folder}/behaviour.yaml: operations.{operation.id}"
        rules: list[tuple[str | None, Rule]] = []
        for index, row in enumerate(operation.row.rules):
            try:
                rules.append((row.get("sent"), _rule(row, f"{place}.rules[{index}]")))
            except LookupError as error:
                complaints.append(str(error.args[0]))
        try:
            bound[operation.name] = Bound(tuple(rules), _behaviour(operation, place))
        except LookupError as error:
            complaints.append(str(error.args[0]))
    if complaints:
        raise SpecificationError(complaints)
    return bound


def examine(call: Call, bound: Bound) -> Call:
    """Hold a valid call against the documented rules that no schema can say. Raises Problem."""
    body = call.body
    for sent, rule in bound.rules:
        if sent is None or sent in body:
            call = rule(call)
    return call


def behave(call: Call, bound: Bound) -> Result | Referral:
    """Do what the operation does. Raises whatever Problem the API documents."""
    return bound.behaviour(call)


def _behaviour(operation: Operation, place: str) -> Behaviour:
    name = operation.row.behaviour
    module, _, verb = name.rpartition(".")
    return _function(f"{PACKAGE}.{module or verb}", verb, place)


def _rule(row: Mapping[str, Any], place: str) -> Rule:
    module, _, verb = str(row["rule"]).rpartition(".")
    function = _function(f"{PACKAGE}.{module}" if module else RULES, verb, place)
    parameters = {key: value for key, value in row.items() if key != "rule"}
    try:
        inspect.signature(function).bind(None, **parameters)
    except TypeError as error:
        wanted = ", ".join(list(inspect.signature(function).parameters)[1:])
        raise LookupError(f"{place}: the rule {row['rule']} takes {wanted}: {error}") from error
    return functools.partial(function, **parameters)


def _function(module: str, name: str, place: str) -> Callable[..., Any]:
    file = module.replace(".", "/") + ".py"
    try:
        function = getattr(importlib.import_module(module), name, None)
    except ModuleNotFoundError as error:
        raise LookupError(f"{place}: there is no {file} for `{module.rpartition('.')[2]}.{name}`") from error
    if not inspect.isfunction(function) or name.startswith("_") or function.__module__ != module:
        raise LookupError(f"{place}: there is no function {name!r} in {file}")
    return function
