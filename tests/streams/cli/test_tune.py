"""`headgate tune` as people run it: files in, a policy line or a refusal out."""

import base64
import json

import pytest
from typer.testing import CliRunner

from schemas.records import Action, Category, CategoryScore
from streams.cli import app
from streams.errors import StartError
from streams.evaluation.policy_line import policy_line
from streams.settings import default_policy, load_settings
from streams.wiring import build_codec, read_policy
from tests.builders import a_decision, signals


def tune(*arguments):
    """Run the command in this process; what it could not start with is raised."""
    result = CliRunner().invoke(app, ["tune", *map(str, arguments)])
    if isinstance(result.exception, StartError):
        raise result.exception
    return result


def a_csv(tmp_path, rows):
    """Write a CSV of scores and labels."""
    path = tmp_path / "rows.csv"
    lines = [f"{score},{label}" for score, label in rows]
    path.write_text("\n".join(["score,label", *lines]), encoding="utf-8")
    return path


def decisions(tmp_path, count, probability=0.97):
    """Write decisions on hate, as `assess` and `tail` give them, in turn."""
    path = tmp_path / "decisions.jsonl"
    lines = []
    for index in range(count):
        hate = {"probability": probability, "evidence": []}
        decision = {
            "content_id": f"c{index}",
            "provisional": False,
            "categories": {"hate": hate},
        }
        lines.append(decision if index % 2 else {"topic": "t", "value": decision})
    path.write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return path


def test_rows_give_a_threshold_and_the_policys_line(tmp_path):
    """Of 300 at 0.97 none is wrong: it holds as low as the milder action allows."""
    file = a_csv(tmp_path, [(0.97, 1)] * 300)

    result = tune(file, "--category", "hate", "--json")

    line = json.loads(result.stdout)
    assert result.exit_code == 0
    assert line["wrong_at_most"] == pytest.approx(1 - 0.05 ** (1 / 300))
    assert line["policy_line"] == "hate: {review: 0.25, block: 0.25}"
    assert (line["acted_on"], line["found"]) == (300, 1.0)


def test_decisions_are_joined_with_labels_by_content(tmp_path):
    """A content without a label is unknown; a label without a decision is told."""
    labels = tmp_path / "labels.csv"
    known = "\n".join(f"c{i},{'yes' if i else 'no'}" for i in range(400))
    labels.write_text(f"content_id,label\n{known}\nc9999,yes\n", encoding="utf-8")
    file = decisions(tmp_path, 500)

    arguments = ("--category", "hate", "--labels", labels, "--json")
    line = json.loads(tune(file, *arguments).stdout)

    assert (line["rows"], line["rows_labelled"], line["unmatched"]) == (500, 400, 1)
    assert (line["labelled"], line["wrong"]) == (400, 1)


def test_provisional_decisions_and_other_categories_do_not_count(tmp_path):
    """The last final word on a content is what was acted on."""
    file = decisions(tmp_path, 2)
    row = json.loads(file.read_text().splitlines()[1])
    later = {**row, "provisional": True}
    unsaid = {**row, "content_id": "c7", "categories": {}}
    with file.open("a") as lines:
        lines.write("\n" + json.dumps(later) + "\n" + json.dumps(unsaid))
    labels = tmp_path / "labels.jsonl"
    labels.write_text('{"content_id": "c0", "label": 1}')

    arguments = ("--category", "hate", "--labels", labels, "--json")
    line = json.loads(tune(file, *arguments).stdout)

    assert (line["rows"], line["unscored"], line["tuned"]) == (2, 1, False)


def test_a_refusal_says_how_many_labels_lack(tmp_path):
    """Exit code 1, the sentence on standard error, the number in JSON."""
    file = a_csv(tmp_path, [(0.97, 1)] * 100)

    said = tune(file, "--category", "hate")
    line = json.loads(tune(file, "--category", "hate", "--json").stdout)

    assert said.exit_code == 1
    assert "label 49 more" in said.stderr
    assert (line["tuned"], line["missing_labels"]) == (False, 49)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--category", "hat"), "--category 'hat'; expected one of hate"),
        (("--category", "hate", "--action", "allow"), "--action 'allow'; expected"),
        (("--category", "hate", "--wrong", "0"), r"wrong is 0.0; expected .* \(0, 1\)"),
        (
            ("--category", "hate", "--label-column", "truth"),
            "no column 'truth'; there are",
        ),
    ],
)
def test_a_wrong_word_is_one_sentence(tmp_path, arguments, said):
    """What was given, what is expected."""
    file = a_csv(tmp_path, [(0.97, 1)])

    with pytest.raises(StartError, match=said):
        tune(file, *arguments)


def test_a_line_never_makes_a_policy_that_is_refused(tmp_path):
    """Harder actions stay harder to reach, whatever threshold comes out."""
    policy = read_policy(default_policy())
    low, at = policy_line(policy, Category.FRAUD_SPAM, Action.LIMIT, 0.97)
    high, raised = policy_line(policy, Category.FRAUD_SPAM, Action.BLOCK, 0.2)

    assert low == "fraud_spam: {limit: 0.97, review: 0.97, block: 0.97}"
    assert high == "fraud_spam: {limit: 0.5, review: 0.7, block: 0.7}"
    assert (at, raised) == (0.97, 0.7)


def test_captured_records_are_decoded(tmp_path):
    """What `tail --raw` writes of risk.decision.v1 reads as the decisions do."""
    codec = build_codec(load_settings())
    score = (CategoryScore(Category.HATE, 0.97),)
    decision = a_decision(signals("c1"), categories=score)
    value = base64.b64encode(codec.encode(decision)).decode()
    captured = tmp_path / "captured.jsonl"
    captured.write_text(json.dumps({"value_base64": value}), encoding="utf-8")
    labels = tmp_path / "labels.csv"
    labels.write_text("content_id,label\nc1,1\n", encoding="utf-8")

    arguments = ("--category", "hate", "--labels", labels, "--json")
    line = json.loads(tune(captured, *arguments).stdout)

    assert (line["rows"], line["rows_labelled"]) == (1, 1)
