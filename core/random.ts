/**
 * Seeded, splittable randomness on the host. One seed per run, split by name: what one part draws never depends on what
 * another part drew, nor on the engine.
 *
 * @module
 */
import { Refusal } from "./refusal.ts";

/** 32-bit FNV-1a hash of a string's UTF-16 code units, mixed with a seed. */
function hash(text: string, seed: number): number {
  let h = (0x811c9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i++) {
    h = Math.imul(h ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return mix(h);
}

/** Finaliser with full avalanche (lowbias32, Wellons 2018). */
function mix(x: number): number {
  x = Math.imul(x ^ (x >>> 16), 0x7feb352d) >>> 0;
  x = Math.imul(x ^ (x >>> 15), 0x846ca68b) >>> 0;
  return (x ^ (x >>> 16)) >>> 0;
}

/**
 * A stream of random numbers (sfc32, Doty-Humphrey, PractRand) that can be split by name.
 *
 * A stream is identified by its seed and path alone; `split` does not advance it. So the state of a run is (seed,
 * position in the schedule), and nothing needs saving to resume.
 */
export class Random {
  /** The keys from the seed to this stream. */
  readonly path: string;
  readonly #key: readonly [number, number];
  #a: number;
  #b: number;
  #c: number;
  #counter: number = 1;
  #spare: number | null = null;

  /** @param seed Any integer; only its low 32 bits count. */
  constructor(seed: number, path: string = "") {
    if (!Number.isInteger(seed)) {
      throw new Refusal({ what: "seed", must: "a seed must be an integer", found: `found ${seed}` });
    }
    this.path = path;
    const low = hash(path, seed >>> 0);
    const high = hash(path + "\u0001", mix(seed >>> 0));
    this.#key = [low, high];
    this.#a = low;
    this.#b = high;
    this.#c = seed >>> 0;
    for (let i = 0; i < 12; i++) this.uint32();
    this.#seed = seed;
  }
  readonly #seed: number;

  /** An independent stream named by the keys, e.g. `random.split("epoch", 3)`. */
  split(...keys: (string | number)[]): Random {
    return new Random(this.#seed, `${this.path}/${keys.join("/")}`);
  }

  /** Two 32-bit words that identify this stream: the key to feed to in-graph noise. */
  key(): Int32Array {
    return Int32Array.from([this.#key[0] | 0, this.#key[1] | 0]);
  }

  /** Uniform 32-bit unsigned integer. */
  uint32(): number {
    const t = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = (this.#c << 21) | (this.#c >>> 11);
    this.#c = (this.#c + t) | 0;
    return t >>> 0;
  }

  /** Uniform in [0, 1) with 53 bits. */
  uniform(): number {
    return ((this.uint32() >>> 5) * 0x4000000 + (this.uint32() >>> 6)) / 0x20000000000000;
  }

  /** Uniform integer in [0, n). Unbiased (rejection). */
  integer(n: number): number {
    if (!Number.isInteger(n) || n < 1 || n > 0x100000000) {
      throw new Refusal({ what: "draw an integer", must: "n must be in 1..2^32", found: `found ${n}` });
    }
    const limit = 0x100000000 - (0x100000000 % n);
    let x = this.uint32();
    while (x >= limit) x = this.uint32();
    return x % n;
  }

  /** Standard normal (Box-Muller). */
  normal(): number {
    if (this.#spare !== null) {
      const spare = this.#spare;
      this.#spare = null;
      return spare;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  /** A shuffled copy (Fisher-Yates). */
  shuffle<T extends Int32Array | readonly unknown[]>(items: T): T {
    const copy = items.slice() as T & { [index: number]: unknown };
    for (let i = copy.length - 1; i > 0; i--) {
      const j = this.integer(i + 1);
      [copy[i], copy[j]] = [copy[j], copy[i]];
    }
    return copy;
  }

  /** The integers 0..n-1 in random order. */
  permutation(n: number): Int32Array {
    return this.shuffle(Int32Array.from({ length: n }, (_, i) => i));
  }
}
