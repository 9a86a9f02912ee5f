#!/usr/bin/env bash
# Starts the mock in the background of a job, waits until it answers, and tells later steps where it is.
# It is bash 3.2, as macOS has it.
set -euo pipefail

folder="${RUNNER_TEMP:?is the folder of a runner}/mockserver"
mkdir -p "$folder"
python="${PYTHON:-}"
if [[ -z $python ]]; then
    found=$(command -v python3 || command -v python) || { echo "::error::there is no Python here: actions/setup-python brings one"; exit 1; }
    "$found" -m venv "$folder/venv"
    python="$folder/venv/bin/python"
    [[ -x $python ]] || python="$folder/venv/Scripts/python.exe"
    "$python" -m pip install --quiet --disable-pip-version-check "${INSTALL:-$GITHUB_ACTION_PATH/../../..}"
fi

# Words as a shell reads them, but nothing in them is run.
options=(--port "${PORT:-0}" --json)
if [[ -n ${ARGS:-} ]]; then
    while IFS= read -r word; do options+=("$word"); done < <(xargs -n 1 printf '%s\n' <<<"$ARGS")
fi

nohup "$python" -m mockserver serve "${options[@]}" >"$folder/log" 2>"$folder/errors" </dev/null &
pid=$!
echo "$pid" >"$folder/pid"

give_up() {
    cat "$folder/errors" >&2
    echo "::error::$1"
    kill "$pid" 2>/dev/null || true
    exit 1
}

trust=()
answers() {
    if [[ $url == https://* ]]; then trust=(--cacert "$("$python" -m mockserver ca)"); fi
    "$python" -m mockserver wait "$url" --timeout 2 ${trust[@]+"${trust[@]}"} >/dev/null 2>"$folder/wait"
}

until
    url=$(sed -n '1s/.*"url": "\([^"]*\)".*/\1/p' "$folder/log")
    [[ -n $url ]] && answers
do
    kill -0 "$pid" 2>/dev/null || give_up "mockserver has ended; what it said stands above"
    ((SECONDS < ${TIMEOUT:-60})) || give_up "mockserver did not answer in ${TIMEOUT:-60} seconds $(cat "$folder/wait" 2>/dev/null)"
    sleep 0.2
done

{
    echo "MOCKSERVER_URL=$url"
    echo "MOCKSERVER_PYTHON=$python"
    if ((${#trust[@]})); then
        "$python" -m mockserver ca --env json |
            "$python" -c 'import json, sys; print(*map("=".join, json.load(sys.stdin).items()), sep="\n")'
    fi
} >>"$GITHUB_ENV"
echo "url=$url" >>"$GITHUB_OUTPUT"
echo "mockserver answers at $url"
