"""The numbers that are promised are those of the code: bounds that documents name, and those health shows."""

from pathlib import Path

import pytest
from conftest import said

from mockserver import messages
from mockserver.behaviours import pictures
from mockserver.bounded import MIB
from mockserver.imaging import reading
from mockserver.journal import keeping
from mockserver.pipeline import respond
from mockserver.serving import heads, room, transport
from mockserver.settings import PATIENT
from mockserver.spec import explain
from mockserver.state import journal, plans, worlds

ROOT = Path(__file__).parents[1]
KIB = 1024
README, SECURITY = ROOT / "README.md", ROOT / ".github" / "SECURITY.md"
PROMISES = [
    (README, "`Mock-Violations`, of at most 4 KiB", respond.LONGEST_HEADER, 4 * KIB),
    (
        README,
        "the newest 1,000 calls since the last reset, or what 16 MiB hold",
        journal.MOST,
        (1_000, 16 * MIB),
    ),
    (README, "dropped after ten minutes without a call", worlds.IDLE_S, 600),
    (README, "at most 1,000, which take at most 256 MiB together", worlds.MOST, (1_000, 256 * MIB)),
    (README, "more than 5,000 orders by 400", plans.MOST_ORDERS, 5_000),
    (README, "a link of more than 16,384 characters as one", pictures.LONGEST_LINK, 16_384),
    (README, "head may take 64 KiB", heads.LARGEST_HEAD, 64 * KIB),
    (README, "still sent is dropped, up to 128 MiB", transport.MOST_DRAINED, 128 * MIB),
    (README, "Bodies under way take 64 MiB together", room.LARGEST_TOTAL, 64 * MIB),
    (README, "wait for room, and after ten seconds have a 503", room.PATIENCE_S, 10),
    (README, "at most a hundred violations", explain.MOST_VIOLATIONS, 100),
    (README, "A body over 64 MiB is refused", messages.LARGEST_BODY, 64 * MIB),
    (README, "bodies over 64 KiB cut and marked", keeping.LARGEST_KEPT, 64 * KIB),
    (README, "it may have 24 megapixels", reading.MAX_PIXELS, 24_000_000),
    (README, "A picture is decoded once, two at a time", reading.AT_ONCE, 2),
    (SECURITY, "64 KiB and ten seconds, a body pauses of thirty", PATIENT[:2], (10, 30)),
    (SECURITY, "of the first 1,000 items", explain.MOST_ITEMS, 1_000),
]
# Of everything that is kept in a world, the most entries and the most MiB.
KEPT = {
    "accounts": (20_000, 8), "counters": (10, 1 / 16), "deliveries": (10_000, 5), "furnished": (10_000, 2),
    "job_charges": (5_000, 3), "journal": (1_000, 16), "kept_outputs": (20_000, 10), "ledger": (50_000, 8),
    "names": (80_000, 8), "outputs": (20_000, 12), "pictures": (1_000, 16), "plans": (1, 40),
    "resources": (20_000, 10), "seen": (30_000, 10), "slots": (10_000, 4), "tally": (10_000, 5),
    "windows": (10_000, 4),
}  # fmt: skip


@pytest.mark.parametrize(
    ("document", "words", "bound", "promised"), PROMISES, ids=[each[1] for each in PROMISES]
)
def test_a_bound_is_as_promised(document, words, bound, promised):
    assert words in " ".join(document.read_text("utf-8").split())
    assert bound == promised


def test_a_world_keeps_no_more_than_this(ask):
    shown = said(ask("GET", "/__admin/health?verbose"))["memory"]["world"]
    assert {name: (each["mostEntries"], each["mostBytes"] / MIB) for name, each in shown.items()} == KEPT
