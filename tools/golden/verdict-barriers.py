"""Prints loss and error of the mean of two networks that verdict-networks.py made, on 4,000 test images.

    python tools/golden/verdict-barriers.py DATA FOLDER
"""
import sys
import gzip,numpy as np,torch,itertools,glob
from torch import nn
from torch.nn import functional as F
from safetensors.torch import load_file
torch.set_num_threads(1)
data, folder = sys.argv[1:3]
def idx(name,o):
    with gzip.open(f"{data}/{name}") as f: return np.frombuffer(f.read()[o:],np.uint8)
X=torch.from_numpy(idx("fashion-t10k-images-idx3-ubyte.gz",16).reshape(-1,1,28,28)/np.float32(255));X=(X-.286)/.353;X=X[:4000]
Y=torch.from_numpy(idx("fashion-t10k-labels-idx1-ubyte.gz",8).astype(np.int64))[:4000]
def mlp(): return nn.Sequential(nn.Flatten(), nn.Linear(784,256),nn.ReLU(),nn.Linear(256,256),nn.ReLU(),nn.Linear(256,10))
def cnn():
    def b(i,o): return [nn.Conv2d(i,o,3,padding=1,bias=False),nn.BatchNorm2d(o),nn.ReLU(),nn.MaxPool2d(2)]
    return nn.Sequential(*b(1,24),*b(24,48),*b(48,64),nn.Flatten(),nn.Linear(576,10))
def loss(m,s):
    m.load_state_dict(s); m.eval()
    with torch.no_grad(): o=m(X); return F.cross_entropy(o,Y).item(), (o.argmax(1)!=Y).float().mean().item()
for fam,mk in (("mlp",mlp),("cnn",cnn)):
    m=mk()
    for a,b in (("s0","s1"),("s0","s0-apart"),("s0","weak1"),("weak1","weak2"),("s0","strong"),("strong","s0-apart")):
        A=load_file(f"{folder}/{fam}-{a}.safetensors");B=load_file(f"{folder}/{fam}-{b}.safetensors")
        M={k:(A[k]+B[k])/2 if A[k].is_floating_point() else A[k] for k in A}
        la,lb,lm=loss(m,A),loss(m,B),loss(m,M)
        print(fam,a,b,"loss %.3f %.3f mid %.3f barrier %.3f err mid %.3f"%(la[0],lb[0],lm[0],lm[0]-(la[0]+lb[0])/2,lm[1]))
