"""When two uploads are alike, and when many make a campaign: every threshold.

Bits are of 256. Those of texts are of SimHashes (`streams.fingerprint`) of embeddings
by all-MiniLM-L6-v2; another text model needs them measured anew, by
`headgate eval campaigns` on a seed that is not reported.
"""

from typing import Final

# Texts that say nearly the same: alike beside another kind of evidence, the same on
# their own. Cosine 0.80 and 0.92, as angle / pi * 256.
ALIKE_TEXT_BITS: Final = 52
SAME_TEXT_BITS: Final = 33
# The same, as the share of a text's telling word pairs that the other has too: a name
# in the middle moves the embedding of a title far, and its words little.
ALIKE_TEXT_SHARE: Final = 0.5
SAME_TEXT_SHARE: Final = 0.7
# Covers, beside another kind of evidence. Measured on the eight unlike photos of
# pdq_images: copies shifted or cropped by 1 % differ in 20 to 106 bits (median 37), by
# 2 % in 36 to 114; of 4,950 pairs of unlike pictures (its needles) none in under 96. So
# three of forty edits (92, 94 and 106 bits) are out of reach.
COVER_BITS: Final = 76
# Of 32 sampled items of a chromaprint. Measured on ten recordings: copies 2 s shorter,
# in 64 kbit/s MP3, quieter and with noise share 11 at least, unlike ones none.
SHARED_ITEMS: Final = 5

# Rare word pairs that a text must have to say something. A pair is rare if fewer than
# one upload in 512 had it, or no more than `COMMON_UPLOADERS`: what everybody writes
# ("out now on all platforms") is not.
RARE_SHARE: Final = 1 / 512
# Of a title, and of any other text.
TITLE_PAIRS: Final = 3
BODY_PAIRS: Final = 6
# Of the texts that are alike, where nothing but text is: a greeting has fewer, however
# many send it on one day.
TEXT_ONLY_PAIRS: Final = 14
# Until so many uploads were seen, nobody knows what is rare: text alone joins nothing.
# Then the copies among them are looked at again.
WARM_UPLOADS: Final = 1_000

# Evidence is counted in halves: a title, a text, a cover or a sound alike is one, the
# same file or speech two. Two join. The same text is two where nothing else that both
# have is unlike: who sells a thousand records under one description is a distributor.
# A sound alone is one: thousands of videos may play the song of the week. One
# uploader's uploads with one sound are copies: two.
ENOUGH: Final = 2
# What more than this many others share, whose uploads are mostly unlike otherwise, says
# nothing: a default cover, a greeting.
COMMON_UPLOADERS: Final = 4
# A campaign of so many uploads takes another only by two of them, or by more evidence:
# a chain of look-alikes has ends that are unlike.
CHAIN_UPLOADS: Final = 4

# 1 - 2^(-strength / 3); see `campaign.Campaign.value`.
HALF_STRENGTH: Final = 3.0
BURST_MS: Final = 3_600_000
# Copies that one person uploads within an hour by hand: tries, fixes, formats.
FAN_COPIES: Final = 8
FLOOD_COPIES: Final = 2.0  # Copies beyond those that count as one more uploader.
# Uploaders that each one counts as who sent it more than once, beside another such: one
# is a fan, and five who all come back are no chance.
AGAIN: Final = 0.5
# From here on members are told. Seven uploaders slowly or five who all sent it twice,
# four within an hour, or twenty copies within an hour by one.
FOUND_VALUE: Final = 0.75
