import asyncio

from streams.commits import Committer

P0, P1 = ("content.ingested.v1", 0), ("content.ingested.v1", 1)


class Group:
    """Takes commits, or refuses them."""

    def __init__(self, *answers):
        self.committed, self._answers = [], list(answers)

    async def __call__(self, offsets):
        self.committed.append(dict(offsets))
        return self._answers.pop(0) if self._answers else True


def test_a_failed_commit_is_tried_again():
    """What the broker did not take stays due (faust.md F5)."""
    group = Group(False)
    committer = Committer(group)
    committer.note(P0, 7)

    assert not asyncio.run(committer.flush())
    assert asyncio.run(committer.flush())
    assert group.committed == [{P0: 7}, {P0: 7}]


def test_nothing_new_commits_nothing():
    """A position that the broker has is not sent again."""
    group = Group()
    committer = Committer(group)
    committer.note(P0, 7)
    asyncio.run(committer.flush())
    asyncio.run(committer.flush())

    assert group.committed == [{P0: 7}]


def test_a_revoked_partition_is_not_committed():
    """The new owner's position must not be moved by the old one."""
    group = Group()
    committer = Committer(group)
    committer.note(P0, 7)
    committer.note(P1, 3)
    committer.forget([P0])
    asyncio.run(committer.flush())

    assert group.committed == [{P1: 3}]


def test_a_partition_that_comes_back_is_committed_anew():
    """After a revoke the same offset is due again, for the group may stand lower."""
    group = Group()
    committer = Committer(group)
    for _ in range(2):
        committer.note(P0, 7)
        asyncio.run(committer.flush())
        committer.forget([P0])

    assert group.committed == [{P0: 7}, {P0: 7}]
