"""Facts about joining near copies to campaigns."""

from dataclasses import replace
from random import Random

import pytest

from streams.campaigns import FOUND_VALUE
from streams.campaigns.bounds import WARM_UPLOADS
from tests.streams.campaigns.uploads import (
    DAY_MS,
    HOUR_MS,
    SCAM,
    a_sound,
    a_text,
    an_upload,
    bits,
    campaigns,
    ordinary,
    own_words,
)

TITLE = "get the unreleased album of {} for free today"


def observe(made, uploads):
    """Observe all and return the campaign of the last."""
    found = None
    for upload in uploads:
        found = made.observe(upload)
    return found


KINDS = {
    "titles and covers": lambda n: {
        "title": a_text("how she earns a salary from bed", n),
        "cover": bits("cover", 3 * n),
    },
    "swapped artists": lambda n: {
        "title": a_text(TITLE.format(f"artist{n}"), 0),
        "body": a_text(SCAM),
        "cover": bits(f"own {n}"),
        "sound": a_sound(n),
    },
    "one text": lambda n: {"body": a_text(SCAM, 2 * n)},
    "one sound, titles alike": lambda n: {
        "sound": a_sound(7),
        "title": a_text("the lost tape was found hear it now", n),
        "cover": bits(f"own {n}"),
    },
    "one script, read by many": lambda n: {
        "speech": a_text(SCAM, n),
        "title": a_text(own_words(n)),
        "sound": a_sound(n),
    },
    "one file": lambda n: {"files": ("ab" * 32,), "title": a_text(own_words(n))},
}


@pytest.mark.parametrize("kind", KINDS)
def test_near_copies_by_many_are_found(kind):
    """Within eight uploads over days, whatever it is that they share."""
    made = campaigns()

    found = observe(made, (an_upload(n, **KINDS[kind](n)) for n in range(1, 9)))

    assert found is not None
    assert found.value >= FOUND_VALUE
    assert found.uploaders == 8


LOOK_ALIKES = {
    "Intro": lambda n: {
        "title": a_text("Intro"),
        "cover": bits("default"),
        "sound": a_sound(n),
    },
    "Merry Christmas": lambda n: {
        "title": a_text("Merry Christmas"),
        "body": a_text("Merry Christmas to all of you and your families"),
        "cover": bits(f"own {n}"),
        "sound": a_sound(n),
    },
    "remixes": lambda n: {
        "title": a_text(f"Golden Harbour (the remix of DJ Number{n})", n),
        "cover": bits(f"own {n}"),
        "sound": a_sound(n),
    },
    "the song of the week": lambda n: {
        "title": a_text(own_words(n)),
        "cover": bits(f"own {n}"),
        "sound": a_sound(7),
    },
    "a distributor's text": lambda n: {
        "title": a_text(own_words(n)),
        "body": a_text(SCAM),
        "cover": bits(f"own {n}"),
        "sound": a_sound(n),
    },
}


@pytest.mark.parametrize("kind", LOOK_ALIKES)
def test_look_alikes_are_no_campaign(kind):
    """Whatever they share, many share who have nothing else in common."""
    made = campaigns()

    seen = [
        made.observe(an_upload(n, at_ms=n * 1000, **LOOK_ALIKES[kind](n)))
        for n in range(1, 40)
    ]

    assert not any(found and found.value >= FOUND_VALUE for found in seen)


def test_a_series_is_no_campaign():
    """Episodes share a cover, a template and a description, and their uploader."""
    made = campaigns()

    seen = [
        made.observe(
            an_upload(
                n,
                uploader="host",
                at_ms=n * 20_000,
                title=a_text(f"Gardening with Mara: episode {n}", n),
                body=a_text(SCAM),
                cover=bits("show"),
                sound=a_sound(n),
            )
        )
        for n in range(1, 40)
    ]

    assert seen == [None] * 39


def test_a_fans_re_uploads_add_nothing():
    """However often over days; only new uploaders make it a larger campaign."""
    made, copy = campaigns(), KINDS["one sound, titles alike"](1)
    before = observe(made, (an_upload(n, **copy) for n in range(3))).value

    again = observe(made, (an_upload(n, 1, **copy) for n in range(3, 40)))
    assert again.value == before

    more = observe(made, [an_upload(40, 99, **copy)])
    assert more.value > before


def test_a_flood_of_copies_by_one_is_found():
    """More within an hour than a person uploads by hand."""
    made, copy = campaigns(), KINDS["one sound, titles alike"](1)

    found = observe(
        made, (an_upload(n, "bot", at_ms=n * 60_000, **copy) for n in range(30))
    )

    assert found.value >= FOUND_VALUE
    assert found.uploaders == 1


def test_a_burst_weighs_more_than_a_drip():
    """The same uploads within an hour say more than over weeks."""
    values = []
    for step_ms in (60_000, DAY_MS):
        made, copy = campaigns(), KINDS["one text"]
        values.append(
            observe(
                made, (an_upload(n, at_ms=n * step_ms, **copy(n)) for n in range(4))
            ).value
        )

    assert values[0] > values[1]


def test_uploads_further_apart_than_the_window_do_not_meet():
    """And who left it counts no more."""
    made, copy = campaigns(window_ms=2 * DAY_MS), KINDS["one text"]

    assert made.observe(an_upload(1, at_ms=0, **copy(1))) is None
    assert made.observe(an_upload(2, at_ms=3 * DAY_MS, **copy(2))) is None
    third = made.observe(an_upload(3, at_ms=4 * DAY_MS, **copy(3)))
    fourth = made.observe(an_upload(4, at_ms=int(5.5 * DAY_MS), **copy(4)))

    assert third.campaign_id == fourth.campaign_id
    assert list(fourth.members) == [("c3", 0), ("c4", 0)]


def test_memory_is_bounded():
    """By places, members and campaigns, whatever comes."""
    made = campaigns(warm=False, most_uploads=50, most_members=10)
    copy = KINDS["one file"]

    for n in range(500):
        made.observe(ordinary(10_000 + n, Random(n)))
        made.told((f"c{n}", 0), "id")
        found = made.observe(an_upload(n, at_ms=0, **copy(n)))

    assert len(found.members) == 10
    assert len(made) <= 25
    assert len(made._place_of) == 50
    assert len(made._told) == 50


def test_a_redelivery_changes_nothing():
    """The same content and revision is one upload."""
    made, copy = campaigns(), KINDS["one text"]
    uploads = [an_upload(n, **copy(n)) for n in range(5)]
    found = observe(made, uploads)
    before = (found.value, list(found.members))

    again = observe(made, uploads)

    assert (again.value, list(again.members)) == before


def test_the_same_uploads_give_the_same_campaigns():
    """Ids and values: nothing depends on a clock or on chance."""

    def run():
        made = campaigns()
        seen = [made.observe(an_upload(n, **KINDS["one text"](n))) for n in range(9)]
        return [found and (found.campaign_id, found.value) for found in seen]

    assert run() == run()


def test_the_order_makes_little_difference():
    """Near copies that come in any order end as one campaign with one id."""
    uploads = [an_upload(n, **KINDS["titles and covers"](n)) for n in range(9)]
    ids = set()
    for seed in range(5):
        made = campaigns()
        Random(seed).shuffle(uploads)
        observe(made, uploads)
        ids.add((made.of(("c0", 0)).campaign_id, len(made.of(("c0", 0)).members)))

    assert len(ids) == 1
    assert {members for _, members in ids} == {9}


def test_an_id_that_was_told_stays():
    """After a restart the campaign has the id that its members know."""
    made, copy = campaigns(), KINDS["one text"]
    made.told(("c5", 0), "known-id")  # Its record may be read before the uploads.

    found = observe(made, (an_upload(n, **copy(n)) for n in range(9)))

    assert found.campaign_id == "known-id"
    assert made.untold(found) == [(f"c{n}", 0) for n in range(9) if n != 5]


def test_two_campaigns_that_were_told_stay_two():
    """One upload between them does not change what members know."""
    made = campaigns()
    one, two = KINDS["one file"], KINDS["one text"]
    first = observe(made, (an_upload(n, **one(n)) for n in range(4)))
    second = observe(made, (an_upload(n, **two(n)) for n in range(10, 14)))
    for found in (first, second):
        for key in found.members:
            made.told(key, found.campaign_id)

    between = an_upload(20, **(one(1) | {"body": a_text(SCAM)}))
    made.observe(between)

    assert made.of(("c1", 0)) is not made.of(("c11", 0))


def test_empty_uploads_join_nothing():
    """Uploads without any trait are alike in nothing."""
    made = campaigns()

    assert [made.observe(an_upload(n)) for n in range(5)] == [None] * 5


@pytest.mark.parametrize("late_ms", [HOUR_MS, 2 * DAY_MS])
def test_late_uploads_join(late_ms):
    """An event that comes late belongs to where it was, in time."""
    made, copy = campaigns(), KINDS["one text"]
    observe(made, (an_upload(n, at_ms=10 * DAY_MS, **copy(n)) for n in range(4)))

    late = made.observe(an_upload(9, at_ms=10 * DAY_MS - late_ms, **copy(9)))

    assert late.uploaders == 5
    assert late.first_ms == 10 * DAY_MS - late_ms


def test_a_campaign_makes_nothing_common():
    """Another that says the same in other words is found beside it."""
    made, scam = campaigns(), KINDS["titles and covers"]
    observe(made, (an_upload(n, **scam(n)) for n in range(20)))

    found = observe(
        made,
        (
            an_upload(n, title=scam(1)["title"], body=a_text(SCAM), cover=bits(f"o{n}"))
            for n in range(30, 40)
        ),
    )

    assert found.value >= FOUND_VALUE
    assert ("c31", 0) in found.members


@pytest.mark.parametrize("kind", ["one text", "swapped artists"])
def test_a_flood_of_one_uploader_hides_no_campaign(kind):
    """What he says is not common for it, though nothing else of it is alike."""
    made, copy = campaigns(), KINDS[kind]
    for n in range(1000, 2000):
        made.observe(
            an_upload(
                n,
                "flooder",
                at_ms=n * 1000,
                title=a_text(own_words(n)),
                body=a_text(SCAM),
                cover=bits(f"own {n}"),
                sound=a_sound(n),
            )
        )

    found = observe(made, (an_upload(n, **copy(n)) for n in range(1, 9)))

    assert found is not None
    assert found.value >= FOUND_VALUE


def test_copies_from_before_it_was_known_what_is_rare_are_found_then():
    """A campaign that was over by then is told late, once, and not before."""
    made, copy = campaigns(warm=False, most_uploads=4000), KINDS["one text"]

    early = observe(made, (an_upload(n, at_ms=n * 1000, **copy(n)) for n in range(20)))
    assert (early, made.take_late()) == (None, [])
    for n in range(1000, 1000 + WARM_UPLOADS):
        made.observe(ordinary(n, Random(n)))

    (found,) = made.take_late()
    assert found.uploaders == 20
    assert found.value >= FOUND_VALUE
    assert made.take_late() == []


def test_what_has_become_common_meanwhile_is_not_found_late():
    """Many others say it among other things, so it tells nothing any more."""
    made = campaigns(warm=False, most_uploads=4000)
    alike = {"title": a_text("a title of its own"), "body": a_text(SCAM)}
    observe(made, (an_upload(n, **alike) for n in range(3)))
    for n in range(1000, 1100 + WARM_UPLOADS):
        other = ordinary(n, Random(n))
        if n % 20 == 0:
            other = replace(other, body=a_text(SCAM))
        made.observe(other)

    assert made.take_late() == []


def test_uploaders_who_come_back_weigh_more():
    """Five who each sent it twice over days are found; five who sent it once not."""
    made, copy = campaigns(), KINDS["titles and covers"]

    once = observe(made, (an_upload(n, n, **copy(n)) for n in range(1, 6))).value
    again = observe(made, (an_upload(10 + n, n, **copy(n)) for n in range(1, 6))).value

    assert once < FOUND_VALUE <= again


def test_a_title_that_most_have_with_other_covers_is_common():
    """Remixes under the label's cover: a third has it, all have the song's name."""
    made = campaigns()

    seen = [
        made.observe(
            an_upload(
                n,
                title=a_text("Golden Harbour by The Carpenters slowed reverb", n % 9),
                cover=bits("label" if n < 3 or n % 3 == 0 else f"own {n}", n % 5),
                sound=a_sound(n),
            )
        )
        for n in range(1, 120)
    ]

    assert not any(found and found.value >= FOUND_VALUE for found in seen)
