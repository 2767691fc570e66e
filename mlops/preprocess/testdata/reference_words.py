"""Writes reference_words.json: what scikit-learn makes of categories and texts.

	python3 -m venv venv && venv/bin/pip install scikit-learn && venv/bin/python reference_words.py

The file holds the versions that it was made with.
"""

import json
import os
import platform
import re
import unicodedata

import numpy as np
import sklearn
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import CountVectorizer, HashingVectorizer, TfidfVectorizer
from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder
from sklearn.utils import murmurhash3_32

rng = np.random.default_rng(11)
rows = 40
categories = {
    "city": [["Zürich", "Basel", "Åbo", "basel", "", "東京", "Basel"][i] for i in rng.integers(0, 7, rows)],
    "a": [["x", "yy", "zzz"][i] for i in rng.integers(0, 3, rows)],
    "abc": [f"{i:08x}" for i in rng.zipf(1.4, rows) % 2**32],
    "field": ["v" * i for i in rng.integers(0, 9, rows)],
}
numbers = {
    "n": [float(x) for x in rng.integers(-2, 4, rows)],
    "amount": [float(np.round(x, 3)) for x in rng.normal(size=rows)],
    "level": [float(x) for x in np.array([0.5, 10, 2, -1e-7, 1e21])[rng.integers(0, 5, rows)]],
}
texts = [
    "The quick brown fox jumps over the lazy dog.",
    "the dog, the DOG, and the under_score _x x_ _ __ 42 4 007",
    "İstanbul ISTANBUL ıstanbul",
    "ΟΔΥΣΣΕΥΣ και ΣΟΦΟΣ, Σ ΑΣ. ΑΣ'Β Σ'",
    "Straße STRASSE naïve café café ﬁn",
    "東京 タワー 東 京都 한국어 Ⅷ ⅷⅷ ² x² ½½",
    "e-mail: someone@example.com http://a.bc/de?f=gh",
    "",
    "   \t\n ",
    "a b c d e f",
    "Привет, МИР! мир Ёлка ёлка",
    "१२३ ٤٥٦ हिन्दी ไทย",
    "don't can't x'y'z",
    "dog dog dog fox fox quick",
    "Ⓐⓐ ǅ ǆx 𝒜𝒷 𐐀𐐨 𐐀",
    "under_score under-score UNDER_SCORE 42 42 42",
    "zebra apple Apple APPLE zebra mango",
]
unicode_14 = unicodedata.unidata_version


def csr(X):
    X = X.tocsr()
    X.sum_duplicates()
    X.eliminate_zeros()
    X.sort_indices()
    out = []
    for i in range(X.shape[0]):
        a, b = X.indptr[i], X.indptr[i + 1]
        out.append({"idx": X.indices[a:b].tolist(), "val": [float(v) for v in X.data[a:b]]})
    return out


def hashed(bits, **options):
    h = FeatureHasher(n_features=2**bits, input_type="dict", **options)
    table = {**categories, **numbers}
    return csr(h.transform([{k: v[i] for k, v in table.items()} for i in range(rows)]))


def words(v):
    X = v.fit_transform(texts)
    return {"words": v.get_feature_names_out().tolist(), "rows": csr(X)}


def encoded(names, **options):
    table = {**categories, **numbers}
    X = [[table[n][i] for n in names] for i in range(rows)]
    onehot, ordinal = OneHotEncoder(**options), OrdinalEncoder()
    X = np.array(X, dtype=object if isinstance(X[0][0], str) else float)
    return {"onehot": csr(onehot.fit_transform(X)), "ordinal": ordinal.fit_transform(X).tolist(),
            "categories": [[str(c) if isinstance(c, str) else float(c) for c in cs] for cs in ordinal.categories_]}


token = re.compile(r"(?u)\b\w\w+\b")
cases = texts + [
    "", "a", "ab", "a_", "_", "__", "a-b", "ab-cd", "AB CD", "x1 1x 1 11", "́ab", "áb", "áb́c", "ab\u00a0cd", "ab\u200bcd",
    "ab\ufeffcd", "ªº", "a\u0345b", "ΑΣ", "ΑΣ\u0301", "Α\u0301Σ", "ΑΣΑ", "Σ", "ΣΣ", "Α Σ", "Α.Σ", "Α.Σ.Α", "Α:Σ", "aΣ\u00adb", "1Σ", "ͺΣ", "ⓐΣ", "ʰΣ",
    "İİ", "xİ", "xİy", "xxİyy", "K Å ℵℶ", "ẞẞ", "ᏸᏹ Ᏸ", "ﬀﬃ", "߀߁߂", "𝟘𝟙", "㊀㊁", "①②", "٠", "٠١", "᧐᧑", "零一", "〇〇", "\u2160\u2161", "ⅷ",
    "\ud7ff\ue000ab", "\ufffdab\ufffd\ufffd", "a\x00b", "ab\x00cd", "ab_cd\x1fef", "été ÉTÉ ÉTÉ", "ⅰⅱ", "々々", "ーー", "゛゛", "_é", "é_", "\u203f\u203f", "a\u203fb",
]
alphabet = list("abAB12_ -.'") + ["\u0301", "Σ", "σ", "İ", "é", "É", "東", "½", "Ⅷ", "\u200d", "Ⓐ", "ǅ", "ʰ", "𐐀", "\u00ad"]
for _ in range(400):
    cases.append("".join(alphabet[i] for i in rng.integers(0, len(alphabet), rng.integers(1, 14))))

reference = {
    "versions": {"python": platform.python_version(), "scikit-learn": sklearn.__version__, "numpy": np.__version__, "unicode": unicode_14},
    "categories": categories,
    "numbers": numbers,
    "texts": texts,
    "murmur": [{"text": t, "hash": int(murmurhash3_32(t, seed=0, positive=True))} for t in
               ["", "a", "ab", "abc", "abcd", "abcde", "abcdef", "abcdefg", "abcdefgh", "C1=deadbeef", "C26=00000000", "東京"]],
    "hash": {str(bits): hashed(bits) for bits in (1, 4, 10, 20, 30)},
    "unsigned": hashed(4, alternate_sign=False),
    "strings": encoded(["city", "a", "field"]),
    "floats": encoded(["n", "level"]),
    "dropped": encoded(["city", "a"], drop="first"),
    "counts": words(CountVectorizer()),
    "limited": words(CountVectorizer(max_features=12)),
    "min": words(CountVectorizer(min_df=2, max_df=0.2)),
    "bounds": words(CountVectorizer(min_df=2, max_df=0.2, max_features=4)),
    "grams": words(CountVectorizer(ngram_range=(1, 3), stop_words=["the", "over"])),
    "cased": words(CountVectorizer(lowercase=False)),
    "tfidf": words(TfidfVectorizer()),
    "sublinear": words(TfidfVectorizer(sublinear_tf=True, norm="l1", smooth_idf=False, ngram_range=(1, 2))),
    "plain": words(TfidfVectorizer(use_idf=False, norm="l2")),
    "raw": words(TfidfVectorizer(norm=None)),
    "hashwords": csr(HashingVectorizer(n_features=2**6, ngram_range=(1, 2)).transform(texts)),
    "hashplain": csr(HashingVectorizer(n_features=2**20, norm="l1", alternate_sign=False).transform(texts)),
    "tokens": [{"text": c, "lower": token.findall(c.lower()), "cased": token.findall(c)} for c in cases],
}
here = os.path.dirname(os.path.abspath(__file__))
with open(os.path.join(here, "reference_words.json"), "w", encoding="utf-8") as f:
    json.dump(reference, f, ensure_ascii=True, separators=(",", ":"))
    f.write("\n")
