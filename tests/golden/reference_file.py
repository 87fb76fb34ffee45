"""A file written by the reference implementation. Run: python tests/golden/reference_file.py"""
import numpy as np
from safetensors.numpy import save_file

save_file(
    {
        "b/kernel": np.arange(6, dtype=np.float32).reshape(2, 3),
        "a": np.array([-1, 2], dtype=np.int32),
        "flag": np.array([True, False, True]),
    },
    "tests/golden/reference.safetensors",
    metadata={"format": "1", "note": "é"},
)
