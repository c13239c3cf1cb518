"""All guest tests at once: the machine bears it, and afterwards holds what it held before."""

from ferry import ROOT, Ferry
from leaks import expect_holdings, settled_holdings

# Those that measure time want the machine for themselves.
PROGRAMS = sorted(source.stem for source in (ROOT / "tests" / "guest").glob("*.c")
                  if source.stem not in ("schedule", "time"))
# A script's programs in the background ignore ^C: these are to take it as others do.
SCRIPT = r"""
for name in {names}; do
    (perl -e '$SIG{{INT}} = "DEFAULT"; exec @ARGV' /tests/$name > /tmp/$name.log 2>&1; echo $? > /tmp/$name.status) &
done
wait
"""


def crowd(ferry):
    """Runs them side by side; each must come to its end. How many passed what they check: in a crowd,
    some may run out of what all share."""
    ferry.sh("sh /tmp/crowd", seconds=120)
    ended = ferry.sh("cat /tmp/*.status").split()
    assert len(ended) == len(PROGRAMS) and set(ended) <= {"0", "1"}, ended
    said = ferry.sh("grep -a '^not ok' /tmp/*.log", status=None)
    assert ended.count("0") > len(PROGRAMS) * 3 / 4, said
    ferry.sh("rm -rf /tmp/*.log /tmp/*.status")


def test_all_guest_programs_at_once_leave_nothing_behind():
    with Ferry(shell=True, limit=300) as ferry:
        ferry.sh("cat > /tmp/crowd <<'END'" + SCRIPT.format(names=" ".join(PROGRAMS)) + "END")
        crowd(ferry)
        before = settled_holdings(ferry)
        crowd(ferry)
        expect_holdings(ferry, before, seconds=20)
