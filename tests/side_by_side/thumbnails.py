"""A small client of the three APIs, as anybody would write it; what the suites beside it test.

It is handed a `requests.Session` or an `httpx.Client`: stand-ins for an API know one or the other.
"""

import base64
import time

KEYS = {"pikzels": "pkz_test", "fatthumb": "nsk_test", "thumbapi": "tb_test"}
HOSTS = {
    "pikzels": "https://api.pikzels.com",
    "fatthumb": "https://fatthumb.klaas.pro",
    "thumbapi": "https://api.thumbapi.dev",
}


class RefusedError(Exception):
    """An answer that is none of success: its status, and what the API says."""


class Thumbnails:
    """Scores, draws and trains; tries again where it was too fast, and waits for jobs."""

    def __init__(self, http, hosts=HOSTS, sleep=time.sleep):
        self._http, self._hosts, self._sleep = http, hosts, sleep

    def score(self, image_url):
        return self._ask("pikzels", "POST", "/v2/thumbnail/score", {"image_url": image_url})["main_score"]

    def poster(self, prompt):
        body = {"prompt": prompt, "model": "pkz_4", "format": "16:9"}
        return self._http.get(self._ask("pikzels", "POST", "/v2/thumbnail/text", body)["output"]).content

    def train(self, name, image_urls):
        body = {"name": name, "image_urls": image_urls}
        id_ = self._ask("pikzels", "POST", "/v2/pikzonality/style", body)["id"]
        self._poll("pikzels", f"/v2/pikzonality/{id_}", "completed")
        return id_

    def variations(self, prompt, count):
        body = {"prompt": prompt, "count": count}
        id_ = self._ask("fatthumb", "POST", "/api/v1/generate", body)["generationId"]
        done = self._poll("fatthumb", f"/api/v1/generations/{id_}", "succeeded")
        return [self._http.get(each["url"]).content for each in done["thumbnails"]]

    def cover(self, title):
        answer = self._ask("thumbapi", "POST", "/v1/generate", {"title": title, "format": "youtube"})
        return base64.b64decode(answer["image"].partition(",")[2])

    def _poll(self, api, path, end):
        for _ in range(40):
            answer = self._ask(api, "GET", path)
            if answer["status"] == end:
                return answer
            self._sleep(3)
        raise TimeoutError(path)

    def _ask(self, api, method, path, body=None):
        headers = {"Authorization": f"Bearer {KEYS[api]}"} if api == "fatthumb" else {"x-api-key": KEYS[api]}
        for _ in range(3):
            answer = self._http.request(method, self._hosts[api] + path, json=body, headers=headers)
            if answer.status_code != 429:
                break
            self._sleep(float(answer.headers.get("Retry-After", 1)))
        if answer.status_code >= 400:
            raise RefusedError(answer.status_code, answer.text)
        return answer.json()
