"""A detector for vectors of features: river's half-space trees, scaled and calibrated.

River has the trees; what it lacks is here: features of any range, missing ones, an eye
for one feature far out (few random splits fall where it is), a score that means the
same on every stream, and a state that saves without pickle.
"""

import math
from collections.abc import Sequence

from river.anomaly import HalfSpaceTrees

from streams.anomaly.base import State
from streams.anomaly.bounded_step import BoundedStep
from streams.anomaly.ranked_window import RankedWindow
from streams.anomaly.state import StateError, take_state

VERSION = 1
# Tan, Ting and Liu, Fast Anomaly Detection for Streaming Data (IJCAI 2011): 25 trees,
# a window of 250. Their height of 15 takes 65,535 nodes a tree; river's 8 takes 511.
TREES, HEIGHT, WINDOW = 25, 8, 250
RANKS = 1000  # Scores that a rank is among: a p-value down to 1 in 1,000.
SPREADS = 2.0  # Mean deviations from the centre where the scale bends.


class VectorDetector:
    """Scores how unusual a vector of features is, missing ones as NaN.

    Each feature is drawn to [0, 1] by its running centre and deviation, which one value
    moves only by a bounded step. Two views are ranked among the last 1,000 vectors: how
    sparse the trees find the place, and how many deviations the farthest feature is
    out; a score of 1 - p means that p is the geometric mean of the shares that were as
    odd. 0 until 270 vectors are known. Does not see a crowd of anomalies as large as
    its window of 250, nor an order in time. Memory is bounded: 25,550 counts.
    """

    __slots__ = ("_far", "_ranks", "_seed", "_steps", "_trees")

    def __init__(self, n_features: int, seed: int = 0) -> None:
        """Begin knowing nothing; the seed draws the trees."""
        if n_features < 1:
            raise ValueError(f"n_features is {n_features}, expected at least 1")
        self._seed = seed
        self._steps = [BoundedStep() for _ in range(n_features)]
        self._trees = _planted(n_features, seed)
        self._ranks = RankedWindow(RANKS)
        self._far = RankedWindow(RANKS)

    def score(self, at_s: float, point: Sequence[float]) -> float:
        """Return how unusual the vector is, in [0, 1]; changes nothing.

        0 for a vector without a number. Raises ValueError for one of another length.
        """
        features = self._scaled(point)
        if not features or not self._is_ready():
            return 0.0
        sparse = self._ranks.surprise(self._sparsity(features))
        far = self._far.surprise(self._farthest(point))
        return 1.0 - math.pow(10.0, -(sparse + far) / 2.0)

    def learn(self, at_s: float, point: Sequence[float]) -> None:
        """Take the vector into the baseline; what is no number teaches nothing.

        Raises ValueError for a vector of another length.
        """
        features = self._scaled(point)
        if features:
            if self._is_ready():
                self._ranks.add(self._sparsity(features))
                self._far.add(self._farthest(point))
            self._trees.learn_one(features)  # type: ignore[no-untyped-call]  # River's.
        for step, value in zip(self._steps, point, strict=True):
            step.learn(value)

    def save(self) -> State:
        """Return the whole state as JSON values."""
        masses = [[[n.l_mass, n.r_mass] for n in tree] for tree in self._nodes()]
        return {
            "version": VERSION,
            "seed": self._seed,
            "steps": [step.save() for step in self._steps],
            "ranks": self._ranks.values(),
            "far": self._far.values(),
            "masses": masses,
            "counter": self._trees.counter,
            "first_window": self._trees._first_window,
        }

    def load(self, state: State) -> None:
        """Continue from a saved state, bit for bit; raises StateError if it is not one.

        The seed comes with the state; the number of features must be the same.
        """
        parts = ("seed", "steps", "ranks", "far", "masses", "counter", "first_window")
        found = take_state("VectorDetector", state, VERSION, parts)
        if len(found["steps"]) != len(self._steps):
            raise StateError(
                f"VectorDetector: the saved state has {len(found['steps'])} features, "
                f"expected {len(self._steps)}"
            )
        self._seed = found["seed"]
        self._trees = _planted(len(self._steps), self._seed)
        for nodes, masses in zip(self._nodes(), found["masses"], strict=True):
            for node, (left, right) in zip(nodes, masses, strict=True):
                node.l_mass, node.r_mass = left, right
        self._trees.counter = found["counter"]
        self._trees._first_window = found["first_window"]
        self._ranks = RankedWindow(RANKS, found["ranks"])
        self._far = RankedWindow(RANKS, found["far"])
        for step, saved in zip(self._steps, found["steps"], strict=True):
            step.load(saved)

    def _is_ready(self) -> bool:
        return not self._trees._first_window

    def _nodes(self) -> list[list]:  # type: ignore[type-arg]  # River's own nodes.
        return self._trees._tree_nodes

    def _sparsity(self, features: dict[int, float]) -> float:
        score = self._trees.score_one(features)  # type: ignore[no-untyped-call]
        return float(score)  # River leaves it untyped.

    def _farthest(self, point: Sequence[float]) -> float:
        """Return the farthest feature's deviations; there is one that is a number."""
        return max(
            abs(step.deviations(value))
            for step, value in zip(self._steps, point, strict=True)
            if math.isfinite(value) and step.is_ready()
        )

    def _scaled(self, point: Sequence[float]) -> dict[int, float]:
        """Return the features that are numbers, in [0, 1]; none in the grace period."""
        if len(point) != len(self._steps):
            raise ValueError(
                f"the vector has {len(point)} features, expected {len(self._steps)}"
            )
        return {
            number: 0.5 + 0.5 * math.tanh(step.deviations(value) / SPREADS)
            for number, (step, value) in enumerate(zip(self._steps, point, strict=True))
            if math.isfinite(value) and step.is_ready()
        }


def _planted(n_features: int, seed: int) -> HalfSpaceTrees:
    trees = HalfSpaceTrees(n_trees=TREES, height=HEIGHT, window_size=WINDOW, seed=seed)
    # River draws the trees from the first vector's features, which must be all there.
    planting = dict.fromkeys(range(n_features), 0.5)
    trees.learn_one(planting)  # type: ignore[no-untyped-call]  # River's.
    for node in (node for nodes in trees._tree_nodes for node in nodes):
        node.l_mass = 0
    trees.counter = 0
    return trees
