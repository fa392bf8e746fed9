"""Campaigns: uploads that are near copies of one another across uploaders; core, pure.

    traits = traits_of(signals, at)      what can be compared, in few bytes
    found = campaigns.observe(traits)    the campaign it joined, if any

`bounds` has every threshold. No clock, no I/O: time is the events' own.
"""

from streams.campaigns.bounds import FOUND_VALUE
from streams.campaigns.campaign import Campaign
from streams.campaigns.finder import Campaigns
from streams.campaigns.traits import Traits, traits_of

__all__ = ["FOUND_VALUE", "Campaign", "Campaigns", "Traits", "traits_of"]
