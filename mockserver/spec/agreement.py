"""What a table says must agree with itself and with the OpenAPI document: what no single name can show."""

from collections.abc import Iterator, Mapping
from urllib.parse import urlsplit

from mockserver.jsontext import Json
from mockserver.spec.admin_bodies import account_schema
from mockserver.spec.explain import located, nearest
from mockserver.spec.fields import branch, fields_of, schemas_of
from mockserver.spec.model import Operation, Provider
from mockserver.spec.references import complaints, hints
from mockserver.spec.rows import OperationSection, Outputs, Sections
from mockserver.spec.scope import Scope
from mockserver.spec.template import fill

PICTURE_HOSTS = ("cdn", "files", "images", "media", "static")  # that can be assumed beside the API's own host


def agreement(scope: Scope) -> Iterator[str]:
    """Hold a table's sections against each other and against the document, name by name and as a whole."""
    provider, table = scope.provider, scope.provider.table
    for section in table.__struct_fields__:
        if section != "operations":
            yield from complaints(scope, hints(Sections)[section], getattr(table, section), section)
    for name, operation in provider.operations.items():
        row, place = operation.row.section, f"operations.{name}"
        yield from complaints(scope.at(operation), OperationSection, row, place)
        yield from _refusals(operation, place)
        yield from _dialect(scope, operation, place)
        if not provider.chosen:  # another reading may have taken away what is cited
            yield from _keywords(operation, place)
        yield from _adds(operation, place)
    yield from _keys(provider)
    yield from _plans(scope)
    yield from _wording(scope)
    yield from _outputs(scope, table.outputs) if table.outputs else ()
    yield from _sizes(scope, table)
    yield from _webhooks(provider)


def _refusals(operation: Operation, place: str) -> Iterator[str]:
    """Find refusals of what no keyword of the body's schema says."""
    refusals = operation.row.section.refusals
    fields = fields_of(operation) if refusals else {}
    for index, row in enumerate(refusals):
        at = f"{place}.refusals[{index}]"
        if (row.choice or row.forbids) and branch(operation, row) is None:
            one, all_ = f"a choice of {', '.join(row.choice)}", f"{', '.join(row.forbids)} forbidden so"
            what = one if row.choice else all_
            yield f"{at}: the schema of the body has not {what}; correct the fields or values"
        known = [key for part in fields.get(row.field or "", ()) for key in part]
        for keyword in row.keywords:
            if keyword not in known:
                yield f"{at}.keywords: {row.field} has no {keyword!r}; {nearest(keyword, known)}"


def _keywords(operation: Operation, place: str) -> Iterator[str]:
    """Find what is cited of keywords that the body's schema does not have."""
    rows = operation.row.section.keywords
    fields = fields_of(operation) if rows else {}
    bodies = operation.body.schemas.values() if operation.body else ()
    anywhere = {key for part in schemas_of(*bodies) for key in part}
    for index, row in enumerate(rows):
        own = (
            {key for part in fields.get(row.field, ()) for key in part} | {"required"}
            if row.field
            else anywhere
        )
        own |= {"oneOf", "anyOf", "not"} & anywhere
        for keyword in row.keywords:
            if keyword not in own:
                what = f"{row.field or 'the body'} has no {keyword!r}; {nearest(keyword, own)}"
                yield f"{place}.keywords[{index}].keywords: {what}"


def _adds(operation: Operation, place: str) -> Iterator[str]:
    """Find members that a table adds to answers in which no document has them."""
    schemas = [
        each.schema for status, each in operation.responses.items() if status[0] == "2" and each.schema
    ]
    shown = {name for part in schemas_of(*schemas) for name in part.get("properties", ())}
    for name in operation.row.section.adds:
        if name not in shown:
            yield f"{place}.adds: answers show no {name!r}; {nearest(name, shown)}"


def _keys(provider: Provider) -> Iterator[str]:
    keys = provider.keys
    if keys.sample and keys.prefix and not keys.sample.startswith(keys.prefix):
        yield f"keys.sample: {keys.sample!r} does not begin with the prefix {keys.prefix!r}"
    schema = account_schema(provider)
    if provider.plans and "plan" not in keys.new_account:
        yield f"keys.new_account: plan is missing; it is one of {', '.join(provider.plans)}"
    account = dict(keys.new_account)
    yield from (f"keys.new_account.{located(account, each)}" for each in schema.violations(account))


def _plans(scope: Scope) -> Iterator[str]:
    provider, plans = scope.provider, scope.provider.plans
    spoken = [name for name in plans if any(map(scope.mentions, {name, name.capitalize(), name.upper()}))]
    for name in plans:
        if spoken and name not in spoken and name != provider.keys.new_account.get("plan"):
            unknown = f"the OpenAPI document knows no plan {name!r}; correct it, or name it there"
            yield f"plans.{name}: {unknown}; {nearest(name, spoken)}"
    for attribute in dict.fromkeys(name for plan in plans.values() for name in plan):
        without = [name for name, plan in plans.items() if attribute not in plan]
        known = dict.fromkeys(name for plan in plans.values() for name in plan if name != attribute)
        if without:
            near = nearest(attribute, known)
            yield f"plans.{without[0]}: {attribute} is missing, which other plans have; {near}"
        elif len({type(plan[attribute]) for plan in plans.values()}) > 1:
            yield f"plans: {attribute} is of one type in one plan and of another in the next"
    plan_wants = [(f"rates[{index}].plan", row.plan) for index, row in enumerate(provider.rates) if row.plan]
    if provider.credits and provider.credits.monthly:
        plan_wants.append(("credits.monthly", provider.credits.monthly))
    for place, attribute in plan_wants:
        if any(isinstance(plan.get(attribute), bool | str | list) for plan in plans.values()):
            yield f"{place}: {attribute} must be a number in every plan"


def _wording(scope: Scope) -> Iterator[str]:
    operations = scope.provider.operations.values()
    for index, row in enumerate(scope.provider.wording):
        if row.field and row.keyword:
            parts = [part for each in operations for part in fields_of(each).get(row.field, ())]
            known = {key for part in parts for key in part} | {"required"}
            if row.keyword not in known:
                near = nearest(row.keyword, known)
                yield f"wording[{index}].keyword: {row.field} has no {row.keyword!r}; {near}"


def _outputs(scope: Scope, outputs: Outputs) -> Iterator[str]:
    host = urlsplit(outputs.origin).netloc
    first, _, owner = host.partition(".")
    owners = {each.partition(".")[2] for each in scope.provider.hosts}
    is_guessed = outputs.provenance == "assumed" and first in PICTURE_HOSTS and owner in owners
    if not (scope.mentions(host) or is_guessed):
        yield f"outputs.origin: the OpenAPI document knows no host {host!r}; correct it, or the provenance"
    _, dot, ending = outputs.path.rpartition(".")
    if dot and f"image/{ending}" != outputs.media_type:
        yield f"outputs.path: .{ending} is no ending of {outputs.media_type}"


def _sizes(scope: Scope, table: Sections) -> Iterator[str]:
    """Find sizes that are not what they are called, and values that ask for a size and have none."""
    operations = scope.provider.operations.values() if table.sizes else ()
    for field, parts in (each for operation in operations for each in fields_of(operation).items()):
        listed = [value for part in parts for value in part.get("enum", ())]
        for value in listed if set(table.sizes) & set(map(str, listed)) else ():
            if value not in table.sizes:
                yield f"sizes: {value!r} is missing, which {field} can be"
    for name, size in table.sizes.items():
        wide, _, high = name.partition(":")
        if wide.isdecimal() and high.isdecimal() and size.width * int(high) != size.height * int(wide):
            yield f"sizes.{name}: {size.width} x {size.height} is not {name}"


def _dialect(scope: Scope, operation: Operation, place: str) -> Iterator[str]:
    """Hold the shape of errors against the first response that is documented for one."""
    provider, own = scope.provider, operation.row.answers
    if own is None and operation is not next(iter(provider.operations.values())):
        return
    answers, rows = own or provider.answers, list(provider.table.errors.values())
    is_detailed = bool(answers.detail) and "$details" in str(answers.error)
    if own is None and not is_detailed and any(row.has_details for row in rows):
        yield "answers: an error has details, but `error` has no $details, or `detail` is missing"
    samples = [row for row in rows if row.has_details == bool(own is None and row.has_details)]
    chosen = {row.has_details: row for row in reversed(samples)}.values()
    for row in chosen:
        response = operation.response_for(row.status)
        details = [fill(answers.detail or {}, {"field": "a", "message": "b"})] if row.has_details else None
        values = {"code": row.code, "message": row.message, "request_id": "1", "details": details}
        body = fill(answers.error, values)
        if response and response.schema and not response.schema.accepts(body):
            said = response.schema.violations(body)[0].message
            at = f"{place}.answers.error" if own else "answers.error"
            yield f"{at}: as {row.name} it breaks the document's {row.status}: {said}"


def _webhooks(provider: Provider) -> Iterator[str]:
    """Hold the payloads against the callbacks that the document describes."""
    webhooks, outputs = provider.webhooks, provider.outputs
    if webhooks is None:
        return
    if provider.jobs and provider.jobs.partial and webhooks.payloads.partial is None:
        yield "webhooks.payloads: partial is missing, which is how a job can end"
    size = {"width": 1, "height": 1}
    values: Mapping[str, Json] = {
        "job_id": "job_1", "image": f"data:{outputs.media_type if outputs else 'image/png'};base64,",
        "format": next(iter(provider.sizes), ""), "dimensions": size, "timestamp": "2026-01-01T00:00:00.000Z",
    }  # fmt: skip
    for name in webhooks.payloads.__struct_fields__:
        shape = getattr(webhooks.payloads, name)
        for schema in provider.callbacks if shape is not None else ():
            if not schema.accepts(fill(shape, values)):
                said = schema.violations(fill(shape, values))[0].message
                yield f"webhooks.payloads.{name}: the document's callback says: {said}"
