"""Which operation a request means: at the root, below its provider's name, by Host; or which door."""

from typing import Any

import pytest
from catalogues import NOTES, a_catalogue, a_provider, a_request, notes

from mockserver.call import Door, Match
from mockserver.messages import Response
from mockserver.nomatch import NoMatch
from mockserver.pipeline.route import Router
from mockserver.problems import ProblemType
from mockserver.spec.catalog import Catalog


def an_api(name, *operations, hosts=()):
    """Make a provider of operations such as "GET /notes/{id}", each named like that."""
    paths: dict[str, dict[str, Any]] = {}
    rows = {}
    for each in operations:
        method, path = each.split()
        names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
        parameters = [{"name": known, "in": "path", "schema": {}} for known in names]
        known = {"operationId": each, "parameters": parameters, "responses": {"200": {"description": "Yes"}}}
        paths.setdefault(path, {})[method.lower()] = known
        rows[each] = {"behaviour": "generate"}
    document = {"openapi": "3.1.0", "info": {"title": name, "version": "1"}, "paths": paths}
    return a_provider(name, document, {"title": f"The {name}", "operations": rows, "hosts": list(hosts)})


def matched(router, request):
    """Route a request that leads to an operation."""
    match = router.route(request)
    assert isinstance(match, Match)
    return match


def found(*providers, method="GET", path, host="localhost", doors=()):
    """Route one request; give the operation in full and the values in the path."""
    match = matched(Router(a_catalogue(*providers), doors), a_request(method=method, path=path, host=host))
    return match.operation.name, dict(match.path_values)


def missed(*providers, method="GET", path, host="localhost"):
    """Route one request that leads nowhere; give the name of who answers, and the problem."""
    with pytest.raises(NoMatch) as caught:
        found(*providers, method=method, path=path, host=host)
    return caught.value.provider and caught.value.provider.name, caught.value.problem


PAD = notes("pad")
TILL = an_api("till", "GET /lost/{id}", "POST /lost", "GET /notes/{id}/finder", hosts=["till.example"])


def test_an_operation_is_found_at_the_root_by_method_and_path():
    assert found(method="POST", path="/notes") == ("notes.add_note", {})
    assert found(path="/notes/7") == ("notes.read_note", {"id": "7"})


def test_a_match_names_the_provider_and_the_operation():
    match = matched(Router(a_catalogue()), a_request(method="POST", path="/notes"))
    assert (match.provider, match.operation) == (NOTES, NOTES.operations["add_note"])


def test_every_provider_answers_at_the_root():
    assert found(NOTES, TILL, path="/lost/7") == ("till.GET /lost/{id}", {"id": "7"})
    assert found(NOTES, TILL, path="/notes/7") == ("notes.read_note", {"id": "7"})


@pytest.mark.parametrize("path", ["/pad/notes/7", "/notes/7"])
def test_a_provider_answers_below_its_own_name_too(path):
    assert found(PAD, path=path) == ("pad.read_note", {"id": "7"})


def test_below_its_name_a_provider_answers_what_another_has_at_the_root():
    other = notes("other")
    assert found(NOTES, other, path="/notes/7") == ("notes.read_note", {"id": "7"})
    assert found(NOTES, other, path="/other/notes/7") == ("other.read_note", {"id": "7"})


def test_below_a_providers_name_no_other_answers():
    assert missed(NOTES, TILL, path="/till/notes/7")[0] == "till"


@pytest.mark.parametrize("host", ["till.example", "TILL.Example", "till.example:8080", "Till.EXAMPLE:1"])
def test_a_host_header_means_its_provider_in_any_case_and_with_any_port(host):
    assert found(NOTES, TILL, path="/lost/7", host=host) == ("till.GET /lost/{id}", {"id": "7"})
    assert missed(NOTES, TILL, path="/notes/7", host=host)[0] == "till"


@pytest.mark.parametrize(
    "host", ["example", "not.till.example", "till.example.org", "", "8080", "[::1]:8080"]
)
def test_a_host_that_no_table_knows_means_nobody(host):
    assert found(NOTES, TILL, path="/notes/7", host=host) == ("notes.read_note", {"id": "7"})


def test_a_request_without_a_host_is_routed_by_its_path():
    request = a_request(method="GET", path="/notes/7")._replace(headers={})
    assert matched(Router(a_catalogue()), request).operation.id == "read_note"


class TestAProviderThatIsCalledLikeTheFirstPartOfItsPaths:
    def test_answers_at_the_root(self):
        assert found(path="/notes/7") == ("notes.read_note", {"id": "7"})

    def test_answers_below_its_name(self):
        assert found(path="/notes/notes/7") == ("notes.read_note", {"id": "7"})
        assert found(method="POST", path="/notes/notes") == ("notes.add_note", {})

    def test_takes_a_method_below_its_name_that_the_root_does_not(self):
        api = an_api("pets", "GET /pets/{id}", "POST /7")
        assert found(api, method="POST", path="/pets/7") == ("pets.POST /7", {})
        assert found(api, path="/pets/7") == ("pets.GET /pets/{id}", {"id": "7"})

    def test_is_told_of_the_root_where_nothing_below_its_name_has_the_path(self):
        name, problem = missed(method="DELETE", path="/notes/7")
        assert (name, problem.type) == ("notes", ProblemType.UNKNOWN_METHOD)
        assert problem.headers == {"Allow": "GET"}


FIXED = ["GET /notes/{id}", "GET /notes/new", "DELETE /notes/{id}"]


@pytest.mark.parametrize("operations", [FIXED, FIXED[::-1]], ids=["template first", "fixed first"])
def test_a_fixed_path_goes_before_a_template_beside_it(operations):
    api = an_api("pad", *operations)
    assert found(api, path="/notes/new") == ("pad.GET /notes/new", {})
    assert found(api, path="/notes/newer") == ("pad.GET /notes/{id}", {"id": "newer"})
    assert found(api, method="DELETE", path="/notes/7") == ("pad.DELETE /notes/{id}", {"id": "7"})


def test_of_two_templates_the_first_counts():
    api = an_api("pad", "GET /notes/{id}/old", "GET /notes/{id}/{version}")
    assert found(api, path="/notes/7/old") == ("pad.GET /notes/{id}/old", {"id": "7"})
    assert found(api, path="/notes/7/8") == ("pad.GET /notes/{id}/{version}", {"id": "7", "version": "8"})


def test_where_two_providers_share_method_and_path_the_first_answers_at_the_root():
    one, other = an_api("one", "GET /notes/{id}"), an_api("other", "GET /notes/{id}", "PUT /notes/{id}")
    assert found(one, other, path="/notes/7") == ("one.GET /notes/{id}", {"id": "7"})
    assert found(other, one, path="/notes/7") == ("other.GET /notes/{id}", {"id": "7"})
    assert found(one, other, method="PUT", path="/notes/7") == ("other.PUT /notes/{id}", {"id": "7"})


@pytest.mark.parametrize(
    "value", ["a b", "é", "100%25", "{id}", ".", "..", "a,b", "a;b=c", "%2F", "\n", "new"]
)
def test_a_value_in_a_path_is_taken_as_it_stands(value):
    assert found(path=f"/notes/{value}") == ("notes.read_note", {"id": value})


@pytest.mark.parametrize(
    "path", ["/notes/", "/notes//", "/notes/a/b", "/notes/7/", "//notes", "/Notes", "/note", "notes", "", "/"]
)
def test_a_path_that_differs_in_a_slash_or_a_letter_is_unknown(path):
    assert missed(path=path)[1].type is ProblemType.UNKNOWN_PATH


def test_what_a_template_says_beside_its_parameters_is_no_pattern():
    api = an_api("pad", "GET /v1.0/(all)/{id}")
    assert found(api, path="/v1.0/(all)/7") == ("pad.GET /v1.0/(all)/{id}", {"id": "7"})
    assert missed(api, path="/v1x0/all/7")[1].type is ProblemType.UNKNOWN_PATH


def test_another_method_is_told_those_that_there_are():
    api = an_api("pad", "PUT /notes/{id}", "GET /notes/{id}", "DELETE /notes/{id}")
    name, problem = missed(api, method="POST", path="/notes/7")
    (violation,) = problem.violations
    assert (name, problem.type) == ("pad", ProblemType.UNKNOWN_METHOD)
    assert problem.headers == {"Allow": "DELETE, GET, PUT"}
    assert (violation.location, violation.pointer, violation.keyword) == ("path", "", "method")
    assert violation.message == "/notes/{id} takes DELETE, GET, PUT, not POST"
    assert violation.citation == "mockserver"  # whose row answers, where the table has none


def test_methods_are_told_apart_by_case():
    assert missed(method="post", path="/notes")[1].type is ProblemType.UNKNOWN_METHOD


@pytest.mark.parametrize(
    ("path", "shown", "owner", "nearest"),
    [
        ("/notes/7/finders", "/notes/7/finders", "pad", "/notes/{id}/finder"),
        ("/lost/7/8", "/lost/7/8", "till", "/lost"),
        ("/losts", "/losts", None, "/lost"),
        ("/notez", "/notez", None, "/notes"),
        ("/pad/note", "/note", "pad", "/notes"),
        ("/toleo", "/toleo", None, "/tole"),  # its letters are those of another, in another order
        ("/pad/lost", "/lost", "pad", "/notes"),
        ("/till/note/7/finder", "/note/7/finder", "till", "/notes/{id}/finder"),
    ],
)
def test_an_unknown_path_is_told_the_nearest_one_in_the_voice_of_whose_it_may_be(path, shown, owner, nearest):
    name, problem = missed(PAD, TILL, an_api("hole", "GET /ooelt", "GET /tole"), path=path)
    (violation,) = problem.violations
    assert (name, problem.type) == (owner, ProblemType.UNKNOWN_PATH)
    assert (violation.location, violation.pointer, violation.keyword) == ("path", "", "path")
    assert violation.message == f"There is no path {shown}; the nearest is {nearest}"


def test_what_is_nobodys_cites_all_providers_and_what_is_somebodys_what_its_table_cites():
    assert missed(path="/x")[1].violations[0].citation == "all providers"
    assert missed(path="/notes/a/b")[1].violations[0].citation == NOTES.problems["unknown_path"].citation


def test_a_long_path_is_shown_in_part():
    message = missed(path="/" + "x" * 5000)[1].violations[0].message
    assert message == f"There is no path /{'x' * 199}; the nearest is /notes"


def test_a_problem_that_leads_nowhere_tells_its_violations():
    with pytest.raises(NoMatch) as caught:
        found(path="/nothing")
    assert caught.value.violations == caught.value.problem.violations != ()


def a_door(name, path):
    door = Door(name, lambda _request, _world: Response(200, (), b""))
    return lambda request: door if request.path == path else None


def test_doors_are_asked_before_operations_and_in_their_order():
    doors = [a_door("first", "/notes/7"), a_door("second", "/notes/7"), a_door("third", "/notes/8")]
    router = Router(a_catalogue(), doors)

    def routed(path):
        return router.route(a_request(method="GET", path=path))

    assert routed("/notes/7").name == "first"
    assert routed("/notes/8").name == "third"
    assert routed("/notes/9").operation.id == "read_note"


def test_a_router_without_a_provider_leads_to_its_doors_alone():
    door = Router(Catalog({}), [a_door("only", "/x")]).route(a_request(method="GET", path="/x"))
    assert isinstance(door, Door)
    assert door.name == "only"


def test_a_like_path_of_another_provider_hides_no_method():
    one, other = an_api("one", "GET /notes/{id}"), an_api("other", "PUT /notes/{name}")
    assert found(one, other, method="PUT", path="/notes/7") == ("other.PUT /notes/{name}", {"name": "7"})
    assert found(one, other, path="/notes/7") == ("one.GET /notes/{id}", {"id": "7"})


def test_a_fixed_path_hides_no_method_of_a_template():
    one, other = an_api("one", "POST /notes/new"), an_api("other", "GET /notes/{id}")
    assert found(one, other, path="/notes/new") == ("other.GET /notes/{id}", {"id": "new"})


def test_a_plain_path_leads_to_a_door_under_the_host_of_one():
    door = Door("only", lambda _request, _world: Response(200, (), b""))
    router = Router(a_catalogue(), [lambda request: door if "cdn" in request.headers["host"] else None])
    for host, kind in (("localhost", Match), ("cdn.example", Door), ("localhost" * 99 + "cdn", Door)):
        assert type(router.route(a_request(method="POST", path="/notes", host=host))) is kind
