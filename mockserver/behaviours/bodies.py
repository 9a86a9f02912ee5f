"""Rewrites of bodies that are valid, for what is no API's own; which fields they speak of, schemas say."""

from mockserver.call import Call


def leave_out_nulls(call: Call) -> Call:
    """Take null for a field that was not sent."""
    body = {name: value for name, value in call.body.items() if value is not None}
    if len(body) == len(call.body):
        return call
    return call._replace(arguments=call.arguments._replace(body=body))
