"""`headgate bank` as people run it: list, add, remove, load."""

from pathlib import Path

import pytest

from encoders.hashing import pdq, sha256_hex
from encoders.image import decode_image
from schemas.topics import BANK_ENTRY
from streams.embedded_broker import EmbeddedBroker
from tests.media_builders import LIMITS, a_picture, encoded
from tests.streams.cli.test_commands import headgate, lines

PDQ = "ab" * 32
CSV = "entry_id,algorithm,value,category\n"


@pytest.fixture
def kafka():
    """An embedded broker with the topic."""
    with EmbeddedBroker() as broker:
        broker.ensure_topics([BANK_ENTRY.name])
        yield broker.bootstrap_servers


def listed(kafka):
    """Return what `list --json` tells: banks by name, and entries."""
    rows = lines(headgate("bank", "list", "--json", bootstrap_servers=kafka))
    banks = {row["bank"]: row for row in rows if "version" in row}
    return banks, [row for row in rows if "entry_id" in row]


@pytest.mark.parametrize("command", ["list", "add", "remove", "load"])
def test_each_has_help_with_an_example(command):
    """Nobody has to read the source."""
    result = headgate("bank", command, "--help")

    assert result.returncode == 0
    assert f"headgate bank {command}" in result.stdout.replace("Usage: ", "", 1)


def test_a_hash_is_added_listed_and_removed(kafka):
    """By value; what was removed is gone, and its bank with it."""
    where = {"bootstrap_servers": kafka}
    added = headgate(
        *("bank", "add", "covers", "e1", "--category", "hate", "--note", "March"),
        *("--algorithm", "pdq", "--value", PDQ.upper()),
        **where,
    )
    assert added.returncode == 0, added.stderr

    banks, entries = listed(kafka)
    assert banks["covers"]["entries"] == 1
    assert banks["covers"]["algorithms"] == {"pdq": 1}
    assert [(e["entry_id"], e["value"], e["note"]) for e in entries] == [
        ("e1", PDQ, "March")
    ]
    table = headgate("bank", "list", "--bank", "covers", **where).stdout
    assert "e1" in table
    assert headgate("bank", "remove", "covers", "e1", **where).returncode == 0
    assert listed(kafka) == ({}, [])
    again = headgate("bank", "remove", "covers", "e1", **where)
    assert (again.returncode, "no entry 'e1'" in again.stderr) == (1, True)


def test_a_picture_is_known_by_its_look_or_its_bytes(kafka, tmp_path):
    """Decoded in the sandbox; nothing of the picture is shown."""
    data = encoded(a_picture(256, 256), "PNG")
    (tmp_path / "cover.png").write_bytes(data)
    options = ("--category", "hate", "--file", tmp_path / "cover.png")
    for name, more in (("look", ()), ("bytes", ("--algorithm", "sha256"))):
        result = headgate(
            *("bank", "add", "covers", name, *options, *more), bootstrap_servers=kafka
        )
        assert result.returncode == 0, result.stderr

    _, entries = listed(kafka)
    assert {e["entry_id"]: e["value"] for e in entries} == {
        "look": pdq(decode_image(data, LIMITS)).hex,
        "bytes": sha256_hex(data),
    }


def test_a_file_is_loaded_once(kafka, tmp_path):
    """What is there already is not sent again; --replace removes what is not."""
    path: Path = tmp_path / "covers.csv"
    path.write_text(CSV + f"e1,pdq,{PDQ},hate\ne2,sha256,{PDQ},hate\n")

    def load(*more):
        result = headgate(
            "bank", "load", path, "--json", *more, bootstrap_servers=kafka
        )
        assert result.returncode == 0, result.stderr
        (counts,) = lines(result)
        return counts["sent"], counts["removed"], counts["unchanged"]

    assert load() == (2, 0, 0)
    assert load() == (0, 0, 2)
    path.write_text(CSV + f"e1,pdq,{'cd' * 32},hate\n")
    assert load("--replace") == (1, 1, 0)
    _, entries = listed(kafka)
    assert [(e["bank"], e["entry_id"], e["value"]) for e in entries] == [
        ("covers", "e1", "cd" * 32)
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["add", "b", "e", "--category", "hate"], "give one of --value and --file"),
        (["add", "b", "e", "--category", "x", "--value", PDQ], "needs --algorithm"),
        (
            ["add", "b", "e", "--category", "x", "--algorithm", "pdq", "--value", PDQ],
            "category is 'x'; expected one of hate",
        ),
        (["load", "nowhere.csv"], "nowhere.csv can't be read"),
    ],
)
def test_what_can_not_be_done_is_one_sentence(kafka, arguments, message):
    """Exit code 2, and nothing is written."""
    result = headgate("bank", *arguments, bootstrap_servers=kafka)

    assert result.returncode == 2
    assert message in result.stderr
    assert listed(kafka) == ({}, [])


def test_a_file_that_names_an_entry_twice_is_refused(kafka, tmp_path):
    """On the topic the later would silently replace the earlier."""
    path = tmp_path / "covers.csv"
    path.write_text(CSV + f"e1,pdq,{PDQ},hate\ne1,pdq,{'cd' * 32},hate\n")

    result = headgate("bank", "load", path, bootstrap_servers=kafka)

    assert (result.returncode, "'e1' stands there" in result.stderr) == (2, True)
