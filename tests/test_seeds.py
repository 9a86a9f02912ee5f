"""The source documents' own programs, run as they stand with only the host replaced.

The Pikzels examples are read out of the specification, which a test holds equal to the documents.
"""

import base64
import io
import json
import re
import shutil
import subprocess
import sys

import httpx
import pytest
import yaml
from PIL import Image

from mockserver.spec.files import SPECS

pytestmark = pytest.mark.usefixtures("uncounted")  # lines that other tests reach, too

PIKZELS = yaml.safe_load((SPECS / "pikzels" / "openapi.yaml").read_text())
SAMPLES = [
    (item[method]["operationId"], sample["lang"], sample["source"])
    for item in PIKZELS["paths"].values()
    for method in item
    for sample in item[method].get("x-codeSamples", ())
    if "{id}" not in sample["source"]
]
FATTHUMB_CURL = """curl -X POST https://fatthumb.klaas.pro/api/v1/generate \\
  -H "Authorization: Bearer nsk_YOUR_KEY" \\
  -H "Content-Type: application/json" \\
  -d '{
    "prompt": "A focused developer at a laptop with neon code on a dark background",
    "model": "gemini-3-pro",
    "count": 2
  }'"""
THUMBAPI_BODIES = [
    (
        {
            "title": "10 Tips to Grow Your YouTube Channel",
            "format": "youtube",
            "category": "education-tutorial",
        },
        (1280, 720),
    ),
    (
        {
            "title": "How I Built a $1M SaaS",
            "format": "youtube",
            "category": "business-finance",
            "usePhoto": True,
        },
        (1280, 720),
    ),
    ({"title": "My 2026 Annual Review", "format": "youtube", "usePhoto": True, "useLogo": True}, (1280, 720)),
    (
        {
            "title": "New Product Launch",
            "format": "instagram",
            "useLogo": True,
            "logoImage": "data:image/png;base64,iVBORw0KGgo...",
        },
        (1024, 1024),
    ),
    ({"title": "Episode 47: The Future of AI", "customAssetsId": "ref_brand_v2"}, (1280, 720)),
    (
        {"title": "Annual Report 2026", "format": "linkedin", "category": "business-finance", "model": "hd"},
        (1200, 627),
    ),
]


def run(language: str, source: str) -> str:
    """Run a program as a reader would; give what it prints."""
    command = {
        "bash": ["bash", "-c"],
        "python": [sys.executable, "-c"],
        "javascript": ["node", "--input-type=module", "-e"],
    }
    if language == "javascript":
        source = source.replace("console.log(data)", "console.log(JSON.stringify(data))")
    if language == "python":
        source = source.replace("print(response.json())", "import json; print(json.dumps(response.json()))")
    done = subprocess.run(
        [*command[language], source], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


LANGUAGES = {"bash": "curl", "python": sys.executable, "javascript": "node"}


@pytest.mark.parametrize(("operation", "language", "source"), SAMPLES, ids=lambda value: value[:30])
def test_the_pikzels_examples_succeed(server, operation, language, source):
    if shutil.which(LANGUAGES[language]) is None:
        pytest.skip(f"{LANGUAGES[language]} is not installed here")
    server.engine.world.reset()  # the example of DELETE is there in two languages, and deletes
    answer = json.loads(run(language, source.replace("https://api.pikzels.com", server.url)))
    assert "error" not in answer, answer
    if "output" in answer:
        picture = Image.open(io.BytesIO(httpx.get(answer["output"]).content))
        assert picture.size == (1280, 720)
        assert picture.format == "PNG"


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed here")
def test_the_fatthumb_curl_example_succeeds_and_its_pictures_open(server):
    answer = json.loads(run("bash", FATTHUMB_CURL.replace("https://fatthumb.klaas.pro", server.url)))
    assert answer["status"] == "processing"
    assert len(answer["thumbnailIds"]) == 2
    url = f"{server.url}/api/v1/generations/{answer['generationId']}"
    server.engine.world.clock.advance(2)
    polled = httpx.get(url, headers={"Authorization": "Bearer nsk_YOUR_KEY"}).json()
    assert polled["status"] == "succeeded"
    for thumbnail in polled["thumbnails"]:
        picture = Image.open(io.BytesIO(httpx.get(thumbnail["url"]).content))
        assert (picture.size, picture.format) == ((1280, 720), "PNG")


@pytest.mark.parametrize(("body", "size"), THUMBAPI_BODIES, ids=lambda value: str(value)[:40])
def test_the_thumbapi_examples_succeed_and_their_pictures_open(client, body, size):
    answer = client.post("/v1/generate", json=body, headers={"x-api-key": "tb_live_abc123"}).json()
    found = re.fullmatch(r"data:image/(\w+);base64,(.*)", answer["image"])
    assert found is not None
    kind, data = found.groups()
    picture = Image.open(io.BytesIO(base64.b64decode(data)))
    assert (kind, picture.format, picture.size) == ("webp", "WEBP", size)
    assert answer["format"] == body.get("format", "youtube")


def test_the_fatthumb_example_loop_ends(server):
    source = """
import os, requests
key = os.environ.get("FATTHUMB_API_KEY", "nsk_loop")
headers = {"Authorization": f"Bearer {key}"}
resp = requests.post("HOST/api/v1/generate", headers=headers,
    json={"prompt": "Viral YouTube Dev thumbnail with big text", "count": 1})
resp.raise_for_status()
generation_id = resp.json()["generationId"]
for poll in range(100):
    if poll == 1:
        requests.post("HOST/__admin/clock/advance", json={"by": 3})  # where the example sleeps
    data = requests.get(f"HOST/api/v1/generations/{generation_id}", headers=headers).json()
    if data["status"] in ("succeeded", "failed", "partial"):
        break
print(data["status"])
"""
    assert run("python", source.replace("HOST", server.url)).strip() == "succeeded"
