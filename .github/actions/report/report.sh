#!/usr/bin/env bash
# Writes into the summary of a job which calls the mock was asked, what they did against the contract, and what of the
# APIs they have met. It ends well, whatever happened before, unless VERDICT is error and something was found.
set -euo pipefail

if [[ -z ${MOCKSERVER_URL:-} ]]; then
    echo "::warning::no mockserver was started: MOCKSERVER_URL is empty"
    exit 0
fi
python="${MOCKSERVER_PYTHON:-python3}"
here="${GITHUB_ACTION_PATH:-$(dirname "${BASH_SOURCE[0]}")}"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
status=0
"$python" "$here/report.py" "$MOCKSERVER_URL" "$folder/coverage.json" >"$folder/summary.md" 2>"$folder/errors" || status=$?
if ((status != 0 && status != 70)); then
    echo "::warning::mockserver gave no report: $(tail -n 1 "$folder/errors")"
    exit 0
fi
"$python" -m mockserver coverage "$folder/coverage.json" --report "$folder/coverage.md" >/dev/null
cat "$folder/coverage.md" >>"$folder/summary.md"
cat "$folder/summary.md" >>"$GITHUB_STEP_SUMMARY"
if ((status == 70)) && [[ ${VERDICT:-warn} != off ]]; then
    kind=$([[ ${VERDICT:-warn} == error ]] && echo error || echo warning)
    echo "::$kind::calls were against the contract of the APIs; the summary says which, and why"
    [[ $kind == warning ]] || exit "$status"
fi
