"""Streams of core/random.ts, computed anew: FNV-1a, the finaliser lowbias32 (Wellons) and sfc32 (Doty-Humphrey).

    python3 tests/golden/random_streams.py

prints what tests/core/streams_test.ts expects.
"""
import math

M = 0xFFFFFFFF


def mix(x):
    x = (x ^ (x >> 16)) * 0x7FEB352D & M
    x = (x ^ (x >> 15)) * 0x846CA68B & M
    return x ^ (x >> 16)


def fnv(text, seed):
    h = 0x811C9DC5 ^ seed
    for unit in text.encode("utf-16-le")[::2]:  # Latin text: one byte a unit
        h = (h ^ unit) * 0x01000193 & M
    return mix(h)


class Stream:
    def __init__(self, seed, path=""):
        seed &= M
        self.key = (fnv(path, seed), fnv(path + "\x01", mix(seed)))
        self.a, self.b, self.c, self.counter = self.key[0], self.key[1], seed, 1
        for _ in range(12):
            self.word()

    def word(self):
        t = (self.a + self.b + self.counter) & M
        self.counter = (self.counter + 1) & M
        self.a = self.b ^ (self.b >> 9)
        self.b = (self.c + (self.c << 3)) & M
        self.c = ((self.c << 21) | (self.c >> 11)) & M
        self.c = (self.c + t) & M
        return t

    def uniform(self):
        high, low = self.word() >> 5, self.word() >> 6
        return (high * 2**26 + low) / 2**53

    def integer(self, n):
        limit = 2**32 - 2**32 % n
        while (x := self.word()) >= limit:
            pass
        return x % n

    def normals(self):
        radius = math.sqrt(-2 * math.log(1 - self.uniform()))
        angle = 2 * math.pi * self.uniform()
        return [radius * math.cos(angle), radius * math.sin(angle)]


def signed(word):
    return word - 2**32 if word >= 2**31 else word


for seed, path in [(0, ""), (7, "/epoch/3"), (-1, "/noise")]:
    stream = Stream(seed, path)
    print(seed, repr(path), [signed(word) for word in stream.key], [stream.word() for _ in range(4)])
print("uniform", [Stream(7, "/u").uniform()])
print("normal", Stream(7, "/n").normals())
large = Stream(7, "/i")
print("integer", [large.integer(3_000_000_000) for _ in range(6)])
small = Stream(7, "/i")
print("of 10", [small.integer(10) for _ in range(8)])
