"""The user's own certificate authority, made once and kept, and certificates by it for names that lead here.

Whoever has its key can pass for any host to programs that trust it: the file is for its user alone.
"""

import contextlib
import os
import ssl
import stat
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from pathlib import Path

import idna
import trustme

KEY, CERTIFICATE = "ca-key.pem", "ca.pem"  # the first holds both, so that neither is ever without the other
OTHERS = stat.S_IRWXG | stat.S_IRWXO
END_OF_KEY = b"PRIVATE KEY-----\n"
PROTOCOLS = ["http/1.1"]  # what is spoken behind the handshake
NAME = "mockserver"


class AuthorityError(Exception):
    """Raised where there can be no authority; says what to do."""


class Authority:
    """An authority in a folder; it is made where there is none. Raises AuthorityError.

    >>> with tempfile.TemporaryDirectory() as folder:
    ...     Authority(Path(folder)).certificate.name
    'ca.pem'
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        try:
            kept = _read(folder / KEY)
            pem = _make(folder / KEY) if kept is None else kept
            key, ended, certificate = pem.rpartition(END_OF_KEY)
            self._key, self.certificate_pem = key + ended, certificate
            put(self.certificate, self.certificate_pem)
            assert self._authority  # what was read can be used
        except OSError as error:
            way_out = "MOCKSERVER_CA_DIR names another folder"
            raise AuthorityError(
                f"cannot keep an authority in {folder}: {error.strerror}; {way_out}"
            ) from error
        except ValueError as error:
            raise AuthorityError(
                f"{folder / KEY} holds no key with its certificate ({error}); remove it for another"
            ) from error

    @property
    def certificate(self) -> Path:
        """The file with its certificate alone, for programs that shall trust it."""
        return self.folder / CERTIFICATE

    @cached_property
    def _authority(self) -> trustme.CA:
        return trustme.CA.from_pem(self.certificate_pem, self._key)

    def server_context(self, names: Iterable[str]) -> ssl.SSLContext:
        """Make what a server needs to speak TLS under some names and addresses; it lives as long as that."""
        known = list(dict.fromkeys(filter(_is_name, names)))
        leaf = self._authority.issue_cert(*known, organization_name=NAME, organization_unit_name="the mock")
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_alpn_protocols(PROTOCOLS)
        leaf.configure_cert(context)
        return context


def usual_folder(environment: Mapping[str, str] = os.environ, platform: str = sys.platform) -> Path:
    """Say where this user's authority is kept.

    >>> usual_folder({"XDG_DATA_HOME": "/data"}, "linux").as_posix(), usual_folder({"MOCKSERVER_CA_DIR": "a"})
    ('/data/mockserver/ca', PosixPath('a'))
    """
    if named := environment.get("MOCKSERVER_CA_DIR"):
        return Path(named)
    home = Path(environment.get("HOME") or environment.get("USERPROFILE") or "~").expanduser()
    given, usual = {
        "win32": ("LOCALAPPDATA", home / "AppData" / "Local"),
        "darwin": ("XDG_DATA_HOME", home / "Library" / "Application Support"),
    }.get(platform, ("XDG_DATA_HOME", home / ".local" / "share"))
    base = environment.get(given, "")
    return (Path(base) if Path(base).is_absolute() else usual) / "mockserver" / "ca"


def client_context() -> ssl.SSLContext:
    """Trust what this machine trusts, and this user's authority, where there is one."""
    context = ssl.create_default_context()
    with contextlib.suppress(OSError):  # there may be none yet
        context.load_verify_locations(usual_folder() / CERTIFICATE)
    return context


def _read(file: Path) -> bytes | None:
    """Read the key; None where there is none. Raises AuthorityError where others may read it, too."""
    try:
        opened = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        return None
    with os.fdopen(opened, "rb") as reading:
        if os.name == "posix" and os.fstat(opened).st_mode & OTHERS:
            raise AuthorityError(f"{file}: others may read this key; chmod 600 it, or remove it for another")
        return reading.read()


def _make(file: Path) -> bytes:
    """Make an authority, unless somebody else has done so meanwhile: then theirs counts."""
    made = trustme.CA(path_length=0, organization_name=NAME, organization_unit_name="local test authority")
    pem = made.private_key_pem.bytes() + made.cert_pem.bytes()
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with _written(file.parent, pem) as complete:
        try:
            os.link(complete, file)  # whole or not at all, and never over another
        except FileExistsError:
            theirs = _read(file)
            return pem if theirs is None else theirs
        except OSError:  # a file system without links
            complete.replace(file)
    return pem


def put(file: Path, content: bytes) -> bool:
    """Write a file that anybody may read, unless it holds that already; say whether that was needed."""
    with contextlib.suppress(FileNotFoundError):
        if file.read_bytes() == content:
            return False
    with _written(file.parent, content) as complete:
        complete.chmod(0o644)
        complete.replace(file)
    return True


@contextlib.contextmanager
def _written(folder: Path, content: bytes) -> Iterator[Path]:
    """Write a file under a name of its own, for this user alone; what is left of it goes."""
    descriptor, name = tempfile.mkstemp(dir=folder, prefix=".", suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(content)
        yield Path(name)
    finally:
        Path(name).unlink(missing_ok=True)


def _is_name(text: str) -> bool:
    """Whether a certificate can hold a name: an address or one by the rules of host names.

    >>> _is_name("::1"), _is_name("mock_1")
    (True, False)
    """
    try:
        return ":" in text or bool(idna.encode(text, uts46=True))
    except idna.IDNAError:
        return False
