"""What a text in a table names: the marks on the types of sections, settings and parameters of checks."""

from typing import Annotated, Literal


class Mark:
    """What a value must fit besides its type: the name of a function of `references`, and its arguments."""

    __slots__ = ("arguments", "check")

    def __init__(self, check: str, *arguments: str) -> None:
        self.check = check
        self.arguments = arguments


Number = int | float
ErrorName = Annotated[str, Mark("name", "errors")]
CitationName = Annotated[str, Mark("name", "citations")]
OtherCitation = CitationName | None  # None: the same one
Member = Annotated[str, Mark("member")]  # of the row in which it stands
Place = Annotated[str, Mark("place")]  # in the table, as keys with dots between; * is any key
LimitName = Annotated[str, Mark("name", "limits")]
SizeName = Annotated[str, Mark("name", "sizes")]
PlanAttribute = Annotated[str, Mark("name", "plan attributes")]
OperationName = Annotated[str, Mark("name", "operations")]
KindName = Annotated[str, Mark("name", "kinds")]  # of resources: what some operation's job makes
RoleName = Annotated[str, Mark("name", "roles")]  # of the pictures that the operation opens
BodyField = Annotated[str, Mark("name", "fields")]
SentField = Annotated[str, Mark("name", "fields"), Mark("sent")]  # without which a check is not asked
AnyField = Annotated[str, Mark("name", "fields anywhere")]
TextField = Annotated[str, Mark("name", "fields", "string")]
FlagField = Annotated[str, Mark("name", "fields", "boolean")]
NumberField = Annotated[str, Mark("name", "fields", "integer", "number")]
PictureField = Annotated[str, Mark("name", "fields", "string", "array")]
AccountFlag = Annotated[str, Mark("name", "account attributes", "boolean")]
AccountText = Annotated[str, Mark("name", "account attributes", "text")]
AccountIds = Annotated[str, Mark("name", "account attributes", "ids", "states", "picture_sets")]
AccountPictures = Annotated[str, Mark("name", "account attributes", "pictures")]
AccountPictureSets = Annotated[str, Mark("name", "account attributes", "picture_sets")]
ParameterName = Annotated[str, Mark("name", "parameters")]
AnswerMember = Annotated[str, Mark("name", "answer members")]  # of the object that means success
AccountResources = Annotated[str, Mark("name", "account attributes", "resources")]
HeaderName = Annotated[str, Mark("header")]
State = Annotated[str, Mark("documented", "state")]
Provenance = Literal["documented", "observed", "assumed"]
Message = Annotated[str, Mark("template", "violation", "field", "kind")]
