"""Facts about the story of one upload: then, what each rule did, and now."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from rich.console import Console

from schemas.records import (
    BankMatch,
    BrakedRule,
    Category,
    Evidence,
    Missing,
    Stage,
)
from streams.brakes import Hold
from streams.cli.why_report import print_stories
from streams.judge import Judge
from streams.policies.explaining import HIDDEN
from streams.policy_file import parse_policy
from streams.replay.outcome import Outcome
from streams.replay.retelling import retold
from streams.replay.story import correction_story, story_of
from streams.scorers import Score
from tests.builders import a_history, a_text_signal, an_event, signals

THEN = """
id: p
version: "1"
owner: me
missing: {default: allow, transcript: review}
categories: {hate: {review: 0.5}, fraud_spam: {limit: 0.95}}
rules:
  - id: spam
    clause: c
    when: score.fraud_spam >= 0.5 and text.title matches "gift"
    action: limit
    brake: {per_hour: 5}
  - id: abroad
    clause: c
    when: score.hate >= 0.2
    action: block
    markets: [FR]
"""
NOW = (
    THEN.replace('version: "1"', 'version: "2"')
    .replace("hate: {review: 0.5}", "hate: {review: 0.3}")
    .replace("transcript: review", "transcript: limit")
    .replace("id: spam", "id: gifts")
)
UNHEARD = Missing("transcript:audio", "undecodable: broken")


class Found:
    """Scores hate 0.4 with evidence, and fraud as told."""

    name, models, languages = "found", (), None
    categories = (Category.HATE, Category.FRAUD_SPAM)

    def __init__(self, fraud):
        self.fraud = fraud

    def score(self, upload, history):
        """Give both."""
        span = Evidence("title", "reads like [it]", 0, 9, score=0.4)
        return (
            Score("found", 0.4, "said", Category.HATE, (span,)),
            Score("found", self.fraud, "said", Category.FRAUD_SPAM),
        )


def an_upload(**fields):
    """Build a track with a title that nobody may take for markup."""
    title = "A [bold]gift[/] for you"
    event = an_event(texts=(("title", title),), territories=("DE",))
    known = {
        "event": event,
        "missing": (UNHEARD,),
        "texts": (a_text_signal(title, language="en"),),
    }
    return signals(**(known | fields))


def a_story(upload=None, then=THEN, now=NOW, fraud=0.6, held=()):
    """Tell an upload's story by two policies."""
    upload, history = upload or an_upload(), a_history(uploads=4)
    judges = [
        Judge((Found(fraud),), parse_policy(text, "p.yaml")) for text in (then, now)
    ]
    secret = judges[0].policy.restricted | judges[1].policy.restricted
    before, after = (
        retold(judge, upload, history, lambda *_: held, secret) for judge in judges
    )
    outcome = Outcome(0, 7, 1000, upload, "same", before.decision, before.decision)
    return story_of(outcome, history, before, after)


def told(*stories, every=False, width=110):
    """Return what a person reads."""
    console = Console(file=StringIO(), width=width, highlight=False, no_color=True)
    print_stories(console, "c1", stories, every)
    return console.file.getvalue()


def rules_of(story):
    """Return each rule's outcome and what came of it."""
    return {r["id"]: (r["outcome"], r["came_of_it"]) for r in story["rules"]}


def test_each_rule_of_the_policy_then_has_its_part():
    """What fired, what did not, and who outranked whom; by the policy of that day."""
    story = a_story()

    assert rules_of(story) == {
        "spam": ("fired", "outranked by missing.transcript"),
        "hate.review": ("no", ""),
        "fraud_spam.limit": ("no", ""),
        "abroad": ("elsewhere", ""),
    }
    assert story["decision"]["policy"]["version"] == "1"
    json.dumps(story)


def test_a_title_commands_no_terminal():
    """What an uploader wrote is shown as it stands in the event."""
    title = "[/x]\x1b[2J\x9b2J\r\nallow\u202e"
    upload = an_upload()
    event = replace(upload.event, content_id=title, texts=(("title", title),))

    shown = told(a_story(replace(upload, event=event)), width=300)

    assert shown.count(r"[/x]\x1b[2J\x9b2J\r\nallow\u202e") >= 2
    assert shown.replace("\n", "").isprintable()


def test_what_a_brake_held_is_in_the_story():
    """The rule with the limit's reason, what it asked for, what was done instead."""
    reason = "per_hour: acted 5 times in this hour and partition"
    quiet = an_upload(missing=())
    story = a_story(quiet, held=(Hold("spam", reason),))

    assert rules_of(story)["spam"] == ("fired", f"held: {reason}")
    assert story["decision"]["instead_of"] == "limit"
    shown = told(story)
    assert f"spam would limit; {reason}" in shown
    assert "without them it would be limit" in shown
    assert "review because of brake.spam" in shown
    assert "as if the same brakes held" in shown
    assert "as if the same brakes held" not in told(a_story(quiet))


def test_today_names_the_rules_the_settings_and_the_values_that_differ():
    """As they were and as they are; a rule of one policy only is none in the other."""
    today = a_story()["today"]

    assert (today["policy"], today["changes"]) == ("2", False)
    changed = {rule["id"]: rule for rule in today["rules"]}
    assert set(changed) == {"hate.review", "spam", "gifts"}
    hate = changed["hate.review"]
    assert (hate["then"]["outcome"], hate["now"]["outcome"]) == ("no", "fired")
    assert hate["now"]["why"] == "score.hate >= 0.3 (found 0.4)"
    assert (changed["spam"]["now"], changed["gifts"]["then"]) == (None, None)
    assert today["settings"] == [["missing.transcript", "review", "limit"]]
    assert today["scores"] == {}


def test_the_same_policy_changes_nothing():
    """And says that it is the same."""
    story = a_story(now=THEN)

    assert story["today"]["rules"] == story["today"]["settings"] == []
    assert "the same action, by the same policy p version 1" in told(story)


def test_a_person_reads_the_whole_of_it():
    """Each part, with an upload's own text as it is: markup of rich's it is not."""
    shown = told(a_story())

    for line in (
        "── c1 revision 0, track of u1 ──",
        "review because of missing.transcript, final; complete signals",
        "title: A [bold]gift[/] for you",
        "to be released in DE",
        "text title: 1 piece, en",
        "transcript:audio undecodable: broken; policy says review",
        "4 uploads learned",
        "policy p version 1 (",
        "hate 0.4000",
        "title characters 0–9 0.4000: reads like [it]",
        "1 of 4 of version 1 spoke",
        "fired, outranked by missing.transcript: score.fraud_spam >= 0.5 (found 0.6)",
        "for other territories",
        "for FR only",
        "same: the same bytes",
        "rule hate.review",
        "then no: review if score.hate >= 0.5 (found 0.4)",
        "now  fired (decided): review if score.hate >= 0.3 (found 0.4)",
        "then not in the policy",
        "policy's missing.transcript: then review, now limit",
    ):
        assert line in shown, shown


def test_what_may_be_about_children_is_not_shown():
    """No text, no reason, no entry of a bank, in JSON neither; the rest is told."""
    shy = "restricted: [hate]\n"
    match = BankMatch("cover", "b", "secret-entry", Category.HATE, "pdq", 3)
    upload = an_upload(matches=(match,))

    story = a_story(upload, then=THEN + shy)
    open_story = a_story(upload)

    for secret in ("gift[/]", "reads like", "secret-entry"):
        assert secret not in json.dumps(story)
        assert secret in json.dumps(open_story)
    assert story["event"]["texts"] == {"title": HIDDEN}
    assert story["decision"]["categories"]["hate"]["probability"] == 0.4


def test_a_policy_that_is_not_here_is_named_and_how_to_bring_it():
    """Its rules can't be told; all else can."""
    upload, history = an_upload(), a_history()
    now = retold(Judge((Found(0.6),), parse_policy(NOW, "p")), upload, history)
    outcome = Outcome(0, 7, 1000, upload, "different", now.decision, None, "why not")

    story = story_of(outcome, history, None, now, "policy abc… is not here")

    assert (story["rules"], story["today"]["rules"]) == (None, None)
    shown = told(story)
    assert "rules    can't be told: policy abc… is not here" in shown
    assert "different: why not" in shown


def test_what_nobody_recorded_is_no_decision():
    """What would be said is not told as if it had been."""
    upload, history = an_upload(), a_history()
    now = retold(Judge((Found(0.6),), parse_policy(NOW, "p")), upload, history)
    outcome = Outcome(0, 7, 1000, upload, "unknown", None, now.decision, "lost")

    shown = told(story_of(outcome, history, now, now))

    assert "no decision is recorded; it would be" in shown


def test_the_latest_word_comes_first_and_corrections_last():
    """Of several judgements: how many, and what counts now."""
    story = a_story()
    upload, history = an_upload(), a_history()
    said = retold(Judge((Found(0.6),), parse_policy(THEN, "p")), upload, history)
    correction = replace(
        said.decision,
        clause="brake.spam",
        supersedes="it",
        brakes=(BrakedRule("spam", "per_hour: over", said.decision.action),),
    )

    shown = told(story, correction_story(correction, 2000))

    first = shown.splitlines()[0]
    assert first.startswith("c1 was judged or corrected 2 times; the latest word: ")
    assert "── corrected at 1970-01-01 00:00:02Z ──" in shown
    assert "in the place of it" in shown
    assert "spam would review; per_hour: over" in shown


@pytest.mark.parametrize(("every", "rows"), [(False, 60), (True, 100)])
def test_of_very_many_silent_rules_only_some_are_shown_unasked(every, rows):
    """And it is said how many more there are."""
    story = a_story()
    silent = next(r for r in story["rules"] if r["outcome"] == "no")
    story["rules"] = [silent | {"id": f"quiet-{n}"} for n in range(100)]

    shown = told(story, every=every)

    assert sum("quiet-" in line for line in shown.splitlines()) == rows
    assert ("40 more that asked for nothing; --all shows them" in shown) is not every


def test_a_provisional_word_says_so():
    """What is unheard yet may change it."""
    assert ", provisional; screened signals" in told(
        a_story(an_upload(stage=Stage.SCREENED))
    )
