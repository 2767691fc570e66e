"""Writes the tables in data/ of what Python packages carry, with a header each.

	python3 -m venv venv && venv/bin/pip install scikit-learn==1.9.1
	venv/bin/pip install --no-deps palmerpenguins==0.1.6 && venv/bin/python make.py
"""

import csv
import gzip
import importlib.util
import io
import os
import shutil

from sklearn import datasets

here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "data")


def number(x):
    return str(int(x)) if float(x).is_integer() else repr(float(x))


def write(name, header, rows):
    text = io.StringIO()
    w = csv.writer(text, lineterminator="\n")
    w.writerow(header)
    w.writerows(rows)
    data = text.getvalue().encode()
    if name.endswith(".gz"):
        with open(os.path.join(here, name), "wb") as raw, gzip.GzipFile("", "wb", 9, raw, mtime=0) as f:
            f.write(data)
    else:
        with open(os.path.join(here, name), "wb") as f:
            f.write(data)


d = datasets.load_digits()
write("digits.csv.gz", [f"p{i}" for i in range(64)] + ["digit"],
      [[number(x) for x in row] + [int(y)] for row, y in zip(d.data, d.target)])

c = datasets.load_breast_cancer()
write("breastcancer.csv", ["diagnosis"] + [n.replace(" ", "_") for n in c.feature_names],
      [[c.target_names[y]] + [number(x) for x in row] for row, y in zip(c.data, c.target)])

found = importlib.util.find_spec("palmerpenguins").submodule_search_locations[0]
shutil.copyfile(os.path.join(found, "data", "penguins.csv"), os.path.join(here, "penguins.csv"))
