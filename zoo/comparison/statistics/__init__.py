"""The statistics of comparing variants over seeds: summaries of variants, differences of pairs, and the ranking.

A value is one run's score, None where the run failed or diverged; NaN and infinities count as None.
"""

from zoo.comparison.statistics.collapse import collapsed
from zoo.comparison.statistics.differences import Difference
from zoo.comparison.statistics.leaders import Ranking, ranking
from zoo.comparison.statistics.rank_tests import ALPHA, seeds_needed
from zoo.comparison.statistics.summaries import Summary, summary

__all__ = ["ALPHA", "Difference", "Ranking", "Summary", "collapsed", "ranking", "seeds_needed", "summary"]
