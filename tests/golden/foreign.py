"""Files of arrays as NumPy, PyTorch, pandas, PyArrow, h5py, SciPy and safetensors write them, in base64, for
tests/formats/foreign_test.ts. Run: python tests/golden/foreign.py > tests/golden/foreign.json
(numpy, torch, pandas, pyarrow, h5py, scipy, safetensors, ml_dtypes)"""
import base64, gzip, io, json, os, pickle, tempfile, zipfile
import h5py, ml_dtypes, numpy as np, pandas as pd, scipy.io, torch
from safetensors.numpy import save_file
from safetensors.torch import save_file as save_torch

out = {}


def keep(name, data):
    out[name] = base64.b64encode(data).decode()


def made(write):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "file")
        write(path)
        return open(path, "rb").read()


def npy(x, version=None, **options):
    b = io.BytesIO()
    if version is None:
        np.save(b, x, **options)
    else:
        np.lib.format.write_array(b, x, version=version)
    return b.getvalue()


def npz(save=np.savez, **arrays):
    b = io.BytesIO()
    save(b, **arrays)
    return b.getvalue()


# 2 x 3 numbers that every type holds.
base = np.array([[0, 1, 2], [3, 4, 5]])
for code in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1"):
    for order in "<>":
        if code[1] != "1" or order == "<":
            keep(f"npy {order}{code}", npy(base.astype(order + code)))
keep("npy bool", npy(base % 2 == 1))
keep("npy fortran", npy(np.asfortranarray(base.astype("f4"))))
keep("npy fortran 3d", npy(np.asfortranarray(np.arange(24, dtype="f4").reshape(2, 3, 4))))
keep("npy fortran text", npy(np.asfortranarray(np.array([["a", "b"], ["c", "dd"]]))))
keep("npy version 2", npy(base.astype("f4"), version=(2, 0)))
keep("npy version 3", npy(base.astype("f4"), version=(3, 0)))
keep("npy scalar", npy(np.float32(7)))
keep("npy empty", npy(np.zeros((0, 3), "f4")))
keep("npy text", npy(np.array(["cat", "dög", "", "鳥"])))
keep("npy text big", npy(np.array(["cat", "dög"]).astype(">U3")))
keep("npy bytes", npy(np.array([b"cat", "dög".encode(), b""])))
keep("npy bytes latin", npy(np.array(["dög".encode("latin-1")])))
keep("npy half extremes", npy(np.array([65504, -6e-8, np.inf, -np.inf, np.nan, -0.0], "f2")))
keep("npy huge integer", npy(np.array([2**31, 1])))
keep("npy huge unsigned", npy(np.array([2**32 - 1, 1], "u4")))
keep("npy uint64 beyond", npy(np.array([2**64 - 1], "u8")))
keep("npy complex", npy(base.astype("c8")))
keep("npy longdouble", npy(base.astype(np.longdouble)))
keep("npy bfloat16", npy(base.astype(ml_dtypes.bfloat16)))
keep("npy date", npy(np.array(["2026-01-01"], "M8[D]")))
keep("npy span", npy(np.array([3], "m8[s]")))
keep("npy object", npy(np.array(["a", None], object), allow_pickle=True))
keep("npy record", npy(np.array([(1, 2.0)], [("a", "i4"), ("b", "f4")])))
keep("npy two arrays", npy(base) + npy(base))
keep("npz", npz(labels=np.array([1, 0]), x=base.astype("f4")))
keep("npz compressed", npz(np.savez_compressed, labels=np.array([1, 0]), x=base.astype("f4")))
keep("npz positional", (lambda b: (np.savez(b, np.array([1, 0]), base.astype("f4")), b.getvalue())[1])(io.BytesIO()))
keep("npz empty", npz())
keep("npz odd names", npz(**{"a b": np.array([1]), "é": np.array([2]), "__proto__": np.array([3]), "constructor": np.array([4])}))
keep("npz object", npz(x=np.array([{}], object)))
# Four megabytes of zeros in four kilobytes.
bomb = io.BytesIO()
with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr("x.npy", npy(np.zeros((1000, 1000), "f4")))
keep("npz zeros", bomb.getvalue())


def archive(*entries, compression=zipfile.ZIP_STORED, comment=b""):
    b = io.BytesIO()
    with zipfile.ZipFile(b, "w", compression) as z:
        z.comment = comment
        for name, data in entries:
            z.writestr(name, data)
    return b.getvalue()


keep("npz folder", archive(("features/", b""), ("features/labels.npy", npy(np.array([1, 0]))),
                           ("features/x.npy", npy(base.astype("f4"))), ("__MACOSX/features/._x.npy", b"\0\5\x16\7")))
keep("npz bzip2", archive(("x.npy", npy(base)), compression=zipfile.ZIP_BZIP2))
keep("npz comment", archive(("x.npy", npy(base)), comment=b"PK\5\6 a comment"))
keep("npz with text", archive(("readme.txt", "hello"), ("x.npy", npy(base))))
keep("npz twice", archive(("x.npy", npy(base)), ("x.npy", npy(base + 1))))

for code in ("f8", "f4", "f2", "i8", "i4", "i2", "i1", "u8", "u4", "u2", "u1", "bool"):
    keep(f"safetensors {code}", made(lambda path: save_file({"x": base.astype(code) if code != "bool" else base % 2 == 1}, path)))
keep("safetensors bf16", made(lambda path: save_torch({"x": torch.tensor(base).bfloat16()}, path, metadata={"format": "pt"})))
keep("safetensors f8e4m3", made(lambda path: save_torch({"x": torch.tensor(base).to(torch.float8_e4m3fn)}, path)))
keep("safetensors empty", made(lambda path: save_file({}, path)))
keep("safetensors scalar", made(lambda path: save_file({"x": np.array(7, "f4")}, path)))

keep("torch zip", made(lambda path: torch.save({"x": torch.tensor([1.0])}, path)))
keep("torch old", made(lambda path: torch.save({"x": torch.tensor([1.0])}, path, _use_new_zipfile_serialization=False)))
for protocol in range(6):
    keep(f"pickle {protocol}", pickle.dumps({"x": [1.0]}, protocol))
frame = pd.DataFrame({"a": [1.0, 2.0], "label": ["cat", "dog"]})
keep("pandas pickle", made(lambda path: frame.to_pickle(path)))
keep("pandas parquet", made(lambda path: frame.to_parquet(path)))
keep("pandas feather", made(lambda path: frame.to_feather(path)))
table = pd.DataFrame({"a_0": [0.5, np.nan, 2.5], "a_1": [1.5, np.nan, 3.5], "count": [1, 2, 3], "flag": [True, False, True],
                      "label": ["cat", "dog", None], "emb": [[1.0, 2.0], None, [3.0, 4.0]], "big": [2**60, 1, 2]})
for compression in ("snappy", "gzip", "zstd", "brotli", "none"):
    keep(f"parquet {compression}", made(lambda path: table.to_parquet(path, compression=None if compression == "none" else compression)))
rows = [[[1.0, 2.0], [3.0, 4.0]], None, [[5.0, 6.0], [7.0, 8.0]]]
odd = pd.DataFrame({"clip": rows, "picture": [b"\x89PNG\xff", b"\xff", None], "sample": [{"x": 1, "y": 0.5}] * 3})
keep("parquet nested", made(lambda path: odd.to_parquet(path)))
keep("parquet ragged", made(lambda path: pd.DataFrame({"emb": [[1.0], [1.0, 2.0]]}).to_parquet(path)))
keep("csv utf-16", table[["a_0", "label"]].to_csv(index=False).encode("utf-16"))
keep("csv bom crlf", "\ufeffa,label\r\n1,\"x, \"\"y\"\"\"\r\n2,z\r\n".encode())
keep("csv latin", "a,label\n1,d\u00f6g\n".encode("latin-1"))
keep("csv semicolon", table[["a_0", "a_1", "label"]].to_csv(index=False, sep=";").encode())
keep("csv index", table[["a_0", "label"]].to_csv().encode())
keep("pandas csv", frame.to_csv(index=False).encode())
keep("pandas json", frame.to_json().encode())
keep("hdf5", made(lambda path: h5py.File(path, "w").close()))
keep("matlab 5", made(lambda path: scipy.io.savemat(path, {"x": base}, appendmat=False)))
keep("matlab 4", made(lambda path: scipy.io.savemat(path, {"x": base}, appendmat=False, format="4")))


def matlab73(path):
    # MATLAB stores columns first, behind a head of its own.
    with h5py.File(path, "w", userblock_size=512) as f:
        f["x"] = base.T
    with open(path, "r+b") as f:
        f.write(b"MATLAB 7.3 MAT-file, Platform: GLNXA64".ljust(124) + b"\0\2IM")


keep("matlab 7.3", made(matlab73))
keep("gzip", gzip.compress(npy(base), mtime=0))
keep("git lfs", b"version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n")
keep("web page", b"<!DOCTYPE html><html><body>404</body></html>")
keep("text", b"1 2 3\n4 5 6\n")
print(json.dumps(out, indent=0))
