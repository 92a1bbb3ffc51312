"""Sums of fields."""

from __future__ import annotations

import os
import subprocess
import sys

import numpy as np

from moee_cli.face.fields import weighted

SUM = """
import hashlib
import numpy as np
from moee_cli.face.fields import weighted
chance = np.random.default_rng(0)
sums = [weighted(*(chance.normal(size=size).astype(np.float32) for size in ((57,), (57, n)))) for n in (9001, 12000)]
print(hashlib.sha256(b"".join(one.tobytes() for one in sums)).hexdigest())
"""


def test_a_sum_of_fields_is_that_of_their_product_with_the_weights():
    fields = np.arange(12, dtype=np.float32).reshape(3, 4)
    np.testing.assert_allclose(weighted(np.array([1.0, 0.0, -2.0], np.float32), fields), fields[0] - 2.0 * fields[2])


def test_sums_of_fields_do_not_depend_on_the_number_of_cores():
    """The linear algebra library splits a product among its threads, and rounds differently where it does."""
    environments = ({**os.environ, "OPENBLAS_NUM_THREADS": number} for number in ("1", "2"))
    one, two = (subprocess.check_output([sys.executable, "-c", SUM], env=settings) for settings in environments)
    assert one == two
