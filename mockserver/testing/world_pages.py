"""The pages of one world of a server elsewhere: those below its namespace."""

from mockserver.admin.asked import PREFIX
from mockserver.jsontext import Json
from mockserver.namespaces import BELOW
from mockserver.testing.pages import NoAnswerError, PageError, Pages, Place

UNKNOWN = 404


class WorldPages:
    """Asks the pages of one namespace."""

    def __init__(self, pages: Pages, namespace: str) -> None:
        self._pages, self.namespace = pages, namespace
        self.lead = f"{pages.place.path}{BELOW}{namespace}"  # before each path of it

    @property
    def place(self) -> Place:
        """Where the server is."""
        return self._pages.place

    @property
    def url(self) -> str:
        """Where the world is called."""
        return f"{self._pages.place.url}{BELOW}{self.namespace}"

    def ask(self, method: str, path: str, said: Json = None) -> Json:
        """Ask one page, by its path below `/__admin`."""
        return self._pages.ask(method, f"{BELOW}{self.namespace}{PREFIX}{path}", said)

    def drop(self) -> None:
        """Let the server forget the world; that it has forgotten it already, or is gone, is no matter."""
        try:
            self._pages.ask("DELETE", f"{PREFIX}/namespaces/{self.namespace}")
        except NoAnswerError:
            return
        except PageError as error:
            if error.status != UNKNOWN:
                raise
