"""The practice county (演练县, N20): a whole invented county, computed from a name, a seed and a size.

Every value is a function of (seed, field, number of household or person), so any slice of the county can be made
alone and is the same in every slicing. Files: `plan` (geometry, targets, calibration), `draws` (random numbers by
key), `homes` (village → land, education → occupation → income), `residents` (people, names, ID numbers), `records`
(what the outside systems know, in the words of the decision catalogue), `lending` (lines, loans, history, default),
`rings` (fraud), `tables` (frames to load), `answers` (an ID number → what the sandbox says).
"""
