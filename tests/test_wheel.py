"""What is installed is complete: a wheel, put into an empty folder, serves from anywhere."""

import json
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import httpx
import pytest
from conftest import first_line, unmeasured

ROOT = Path(__file__).parents[1]
PATIENCE_S = 60


def run(*command, **more):
    return subprocess.run(
        [sys.executable, "-m", *map(str, command)],
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        **more,
    )


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """The wheel of this source tree, built without a network."""
    folder = tmp_path_factory.mktemp("wheel")
    run("hatchling", "build", "-t", "wheel", "-d", folder, cwd=ROOT, env=unmeasured())
    (file,) = folder.glob("*.whl")
    return file


@pytest.fixture(scope="module")
def installed(wheel, tmp_path_factory):
    """The environment of a process that sees the wheel's files, and no source tree."""
    folder = tmp_path_factory.mktemp("site")
    run(
        "uv",
        "pip",
        "install",
        "--python",
        sys.executable,
        "--offline",
        "--no-deps",
        "--target",
        folder,
        wheel,
    )
    return unmeasured(PYTHONPATH=str(folder))


def test_the_wheel_holds_all_that_is_needed_and_nothing_more(wheel):
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    data = [file for folder in ("specs", "fixtures") for file in (ROOT / folder).rglob("*") if file.is_file()]
    package = [
        file
        for file in (ROOT / "mockserver").rglob("*")
        if file.is_file() and "__pycache__" not in file.parts
    ]
    expected = {f"mockserver/data/{file.relative_to(ROOT)}" for file in data} | {
        str(file.relative_to(ROOT)) for file in package
    }
    assert names == expected
    assert {
        "mockserver/py.typed",
        "mockserver/data/specs/behaviour.schema.json",
        "mockserver/data/fixtures/accounts.yaml",
    } <= names
    assert any(name.endswith(".ttf") for name in names)


def test_the_wheel_brings_the_command(wheel):
    with zipfile.ZipFile(wheel) as opened:
        (entry_points,) = [name for name in opened.namelist() if name.endswith("entry_points.txt")]
        assert "mockserver = mockserver.cli:main" in opened.read(entry_points).decode()


def test_an_installed_wheel_is_what_runs(installed, tmp_path):
    said = run("mockserver", "check", env=installed, cwd=tmp_path).stdout
    where = subprocess.run(
        [sys.executable, "-c", "import mockserver; print(mockserver.__file__)"],
        env=installed,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "nothing to complain of" in said
    assert where.stdout.startswith(installed["PYTHONPATH"])


def test_an_installed_wheel_serves_pictures_from_another_folder(installed, tmp_path):
    command = [sys.executable, "-m", "mockserver", "serve", "--port", "0", "--json", "--quiet"]
    with subprocess.Popen(command, env=installed, cwd=tmp_path, stdout=subprocess.PIPE, text=True) as process:
        try:
            url = json.loads(first_line(process))["url"]
            with httpx.Client(base_url=url, timeout=PATIENCE_S) as client:
                assert client.get("/__admin/health").status_code == 200
                # This account's photo and logo come from the fixtures, the letters from the font.
                body = {"title": "Ten tips", "format": "youtube", "usePhoto": True, "useLogo": True}
                answer = client.post("/v1/generate", json=body, headers={"x-api-key": "tb_live_abc123"})
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
    assert answer.json()["image"].startswith("data:image/webp;base64,")
    assert process.returncode == 0


def test_an_installed_wheel_brings_the_fixture_to_pytest_by_itself_and_can_be_left_out(installed, tmp_path):
    text = "def test_it(mockserver): assert mockserver.url\n"
    (tmp_path / "test_it.py").write_text(text, "utf-8")
    others = ("schemathesis", "hypothesispytest", "randomly", "respx", "pytest_httpserver", "cacheprovider")
    options = ["-q", "-W", "error", *(part for name in others for part in ("-p", f"no:{name}"))]
    assert "1 passed" in run("pytest", *options, env=installed, cwd=tmp_path).stdout
    with pytest.raises(subprocess.CalledProcessError) as raised:
        run("pytest", *options, "-p", "no:mockserver", env=installed, cwd=tmp_path)
    assert "fixture 'mockserver' not found" in raised.value.stdout
