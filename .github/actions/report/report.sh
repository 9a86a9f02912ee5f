#!/usr/bin/env bash
# Writes into the summary of a job which calls the mock was asked, which were refused and why, and what of the APIs
# they have met. It ends well, whatever happened before.
set -euo pipefail

if [[ -z ${MOCKSERVER_URL:-} ]]; then
    echo "::warning::no mockserver was started: MOCKSERVER_URL is empty"
    exit 0
fi
python="${MOCKSERVER_PYTHON:-python3}"
here="${GITHUB_ACTION_PATH:-$(dirname "${BASH_SOURCE[0]}")}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
if ! "$python" "$here/report.py" "$MOCKSERVER_URL" "$folder/coverage.json" >"$folder/summary.md" 2>"$folder/errors"; then
    echo "::warning::mockserver gave no report: $(tail -n 1 "$folder/errors")"
    exit 0
fi
"$python" -m mockserver coverage "$folder/coverage.json" --report "$folder/coverage.md" >/dev/null
cat "$folder/coverage.md" >>"$folder/summary.md"
cat "$folder/summary.md" >>"$GITHUB_STEP_SUMMARY"
