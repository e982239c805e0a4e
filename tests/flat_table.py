"""A flat table of leads with an outcome column, for tests that spoil it one way or another."""

FLAT = """\
name: flat
timezone: UTC
sources:
  leads:
    file: flat.csv
    columns: {lead_id: id, created_at: created}
    outcome: {column: won, positive: ["yes"], negative: ["no"]}
target: {stage: outcome}
model: {contestants: [base_rate, logistic]}
gates: {min_leads: 100, min_conversions: 20, min_test_conversions: 5}
"""


def rows_of(leads=600, *, won=lambda i: (i * 7) % 10 < 1 + 6 * (i % 2), size=lambda i: i % 2):
    """Return lines of a flat table; of odd leads (size 1) six in ten are won, of even two."""
    days = [f"2025-{1 + i * 12 // leads:02d}-{1 + i % 28:02d}" for i in range(leads)]
    answers = ["yes" if won(i) else "no" for i in range(leads)]
    rows = [f"L{i},{days[i]},{size(i)},{answers[i]}" for i in range(leads)]
    return ["id,created,size,won", *rows]


def train(mqlml, config, *words):
    """Train on the config in the workspace beside it."""
    return mqlml("train", "--config", config, "--workspace", config.parent / "w", *words)


def refused(answer, code, *texts):
    """Check that a command failed as it should: code, words, no traceback."""
    assert answer.code == code, answer.err + answer.out
    for text in texts:
        assert text in answer.err
    assert "Traceback" not in answer.err + answer.out
    return True
