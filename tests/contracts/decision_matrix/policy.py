"""The policy of the matrix, as the files of its folder.

Hourly limits that a case reaches are 1: a worker gives each of twelve partitions a
share of a limit, 1 at the least, and `assess` the whole, so only 1 is the same in both.
"""

FILES = {
    "policy.yaml": """
id: matrix
version: "1"
missing: {default: review, transcript: review, language: allow, media: block}
provisional: review
restricted: [child_safety]
second_approval: {uploaders: [star-a, star-b, star-c, star-d, star-e, star-f],
  uploads_over: 8}
""",
    "thresholds.yaml": """
owner: matrix
categories:
  hate: {review: 0.5, block: 0.95, clause: "1.1"}
  fraud_spam: {limit: 0.5, clause: "2.1"}
  graphic_violence: {age_restrict: 0.5, review: 0.9}
  sexual_content: {limit: 0.5, block: 0.9, brake: {per_hour: 1}}
anomalies:
  velocity: {limit: 0.8, review: 0.9}
banks:
  takedowns: {block: 0.95}
""",
    "rules.yaml": """
owner: matrix
rules:
  - id: hate-in-podcasts
    clause: "1.2"
    when: score.hate >= 0.8
    kinds: [podcast_episode]
    action: block
  - id: hate-in-germany
    clause: "1.3"
    when: score.hate >= 0.3
    action: block
    for: 30d
    markets: [DE, AT]
    if_missing: skip
  - id: violence-outside-america
    clause: "3.1"
    when: score.graphic_violence >= 0.3
    action: age_restrict
    age: 16
    markets: {except: [US]}
    if_missing: skip
  - id: gifts-of-newcomers
    clause: "2.2"
    when: history.uploads < 2 and text.title matches "(?i)free gift"
    action: review
    if_missing: skip
  - id: gifts-in-autumn
    clause: "2.3"
    when: score.fraud_spam >= 0.3
    action: limit
    strength: 0.5
    valid: {from: 2026-09-01, until: 2026-12-01}
    if_missing: review
    kinds: [title]
  - id: silent-audiobooks
    clause: "4.1"
    when: score.privacy >= 0.5 or transcript matches "(?i)home address"
    kinds: [audiobook]
    action: limit
    if_missing: review
  - id: not-both
    clause: "1.4"
    when: not (score.harassment < 0.4 or kind in [track, title])
    action: label
    if_missing: skip
""",
    "brakes.yaml": """
owner: matrix
rules:
  - id: goods
    clause: "5.1"
    when: score.illicit_goods >= 0.5
    action: block
    if_missing: skip
    brake: {per_hour: 1}
  - id: impostors
    clause: "5.2"
    when: score.impersonation >= 0.5
    action: limit
    strength: 0.5
    if_missing: skip
    brake: {per_uploader_per_hour: 2}
  - id: extremism-in-germany
    clause: "5.3"
    when: score.violent_extremism >= 0.5
    action: block
    markets: [DE, AT]
    if_missing: skip
    brake: {per_hour: 1}
  - id: harmful-lyrics
    clause: "5.4"
    when: score.self_harm >= 0.5
    kinds: [lyrics]
    action: age_restrict
    age: 16
    if_missing: review
    brake: {per_hour: 1}
  - id: copies
    clause: "5.5"
    when: score.ip_infringement >= 0.5
    action: limit
    if_missing: skip
    brake: {per_hour: 12000}
  - id: copies-in-america
    clause: "5.6"
    when: score.other_policy >= 0.5
    action: block
    markets: [US]
    if_missing: skip
    brake: {per_hour: 12000}
""",
}
