"""Ten calls by requests."""

import sys

import requests

with requests.Session() as session:
    session.headers.update({"X-Api-Key": "pkz_test", "Content-Type": "application/json"})
    for _ in range(10):
        print(session.post(sys.argv[1], data=sys.argv[2]).status_code)
