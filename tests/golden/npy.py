"""Arrays saved by NumPy, in base64, for tests/formats/npy_test.ts.
Run: python tests/golden/npy.py > tests/golden/npy.json"""
import numpy as np, base64, io, json
a=(np.arange(6,dtype=np.float32)/4).reshape(2,3)
out={}
def npy(x):
    b=io.BytesIO(); np.save(b,x); return base64.b64encode(b.getvalue()).decode()
out["f4"]=npy(a); out["f8"]=npy(a.astype(np.float64)); out["i8"]=npy(np.array([3,-1,7])); out["fortran"]=npy(np.asfortranarray(a)); out["c8"]=npy(a.astype(np.complex64))
b=io.BytesIO(); np.savez(b,labels=np.array([1,0],dtype=np.int64),**{"part.a":a}); out["npz"]=base64.b64encode(b.getvalue()).decode()
b=io.BytesIO(); np.savez_compressed(b,labels=np.array([1,0],dtype=np.int64),**{"part.a":a}); out["npzc"]=base64.b64encode(b.getvalue()).decode()
print(json.dumps(out))
