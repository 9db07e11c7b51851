"""Writes the golden values of attacks on federated updates, by byzfl 0.0.11.

python -m venv /tmp/byzfl && /tmp/byzfl/bin/pip install byzfl==0.0.11
/tmp/byzfl/bin/python tools/golden/byzfl-attacks.py > packages/simulation/test/golden/attacks.json
"""

import json

import byzfl
import numpy as np

random = np.random.default_rng(0)
cases = []
for clients, elements in ((3, 4), (16, 7)):
    honest = random.normal(size=(clients, elements))
    attacks = (
        ("sign-flip", {}, byzfl.SignFlipping()),
        ("ipm", {"tau": 2.0}, byzfl.InnerProductManipulation(2.0)),
        ("ipm", {"tau": 0.5}, byzfl.InnerProductManipulation(0.5)),
        ("alie", {"tau": 1.5}, byzfl.ALittleIsEnough(1.5)),
        ("alie", {"tau": 0.3}, byzfl.ALittleIsEnough(0.3)),
        ("mimic", {"client": 0}, byzfl.Mimic(0)),
        ("mimic", {"client": 2}, byzfl.Mimic(2)),
    )
    for name, parameters, attack in attacks:
        sent = attack(honest.copy())
        cases.append(
            {"attack": name, "parameters": parameters, "honest": honest.tolist(), "sent": sent.tolist()}
        )
print(json.dumps({"byzfl": "0.0.11", "cases": cases}))
