#!/usr/bin/env python3
"""Writes the word vectors of the package in DIR as an fvecs file, the most frequent words first.

    words.py PACKAGE.json WORDS.fvecs
"""

import json
import sys

import numpy

package, target = sys.argv[1:]
with open(package) as file:
    words = json.load(file)
# After its components, each row has its norm and its number.
rows = numpy.array(list(words["vectors"].values()), dtype="<f4")[:, : words["dimensions"]]
# Zero vectors have no direction.
rows = rows[numpy.linalg.norm(rows, axis=1) > 0]
lengths = numpy.full((len(rows), 1), rows.shape[1], dtype="<i4").view("<f4")
numpy.hstack([lengths, rows]).tofile(target)
