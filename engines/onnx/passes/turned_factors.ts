/**
 * First factors of products that sum over rows, turned beforehand.
 *
 * The gradient by a kernel sums over all rows of the batch, X'Y with X of shape [k, m] and Y of [k, n]. The runtime turns
 * twelve columns of X at a time while it multiplies, with a stride of a row between any two numbers that it reads. In a
 * training step X was written long before and is in no cache, so that this takes up to half of the product's time; one
 * transposition of the whole reads it in order. Where Y is the narrow one, it is turned instead, and the result after:
 * (Y'X)'.
 *
 * The sums stay the same to the bit: the runtime's kernel adds up products of one block of rows after the other, and a pair
 * is multiplied either way around. With a turned factor its blocks are of `BLOCK` rows, without of more where the other has
 * at most `NARROW` columns, so these products are left alone.
 *
 * @module
 */
import type { Builder } from "../graph/builder.ts";
import { type Graph, sizeOf, type Value } from "../graph/ir.ts";
import { rewrite } from "./rewrite.ts";

/** Rows of one block of the runtime's sums. */
const BLOCK = 128;
/** Up to so many columns of the second factor the runtime's blocks have more rows. */
const NARROW = 64;
/** Products of fewer pairs take less time than a further node or two. */
const LEAST_PRODUCTS = 2 ** 20;
/** A number of the result is moved from cache to cache, but turning twice is two nodes. */
const TURNED_TWICE = 1.5;

/**
 * The other way around, [rows, columns] to [columns, rows], of an even number of rows. Over three axes, as the runtime undoes
 * a transposition of two by turning the factor while it multiplies.
 */
function turned(b: Builder, x: Value): Value {
  const [rows, columns] = x.shape;
  return b.reshape(b.transpose(b.reshape(x, [2, rows / 2, columns]), [2, 0, 1]), [columns, rows]);
}

/** The same back, [columns, rows] to [rows, columns]: both after one another are nothing. */
function turnedBack(b: Builder, x: Value): Value {
  const [columns, rows] = x.shape;
  return b.reshape(b.transpose(b.reshape(x, [columns, 2, rows / 2]), [1, 2, 0]), [rows, columns]);
}

/** Turns one factor of every large product X'Y. */
export function turnedFactors(graph: Graph): Graph {
  return rewrite(graph, (b, node, now) => {
    const { transA = 0, transB = 0, ...scales } = node.attributes;
    if (node.op !== "Gemm" || transA !== 1 || transB !== 0) return null;
    const [x, y, added] = node.inputs.map((input) => input === null ? null : now(input)) as Value[];
    const [[k, m], n] = [x.shape, y.shape[1]];
    if (k * m * n < LEAST_PRODUCTS) return null;
    const alike = (columns: number) => k <= BLOCK || columns > NARROW;
    const first = k % 2 === 0 && alike(n) ? k * m : Infinity;
    const matrix = added === undefined || sizeOf(added.shape) === m * n && added.shape.length === 2;
    const second = k % 2 === 0 && m % 2 === 0 && alike(m) && matrix ? TURNED_TWICE * (k * n + m * n) : Infinity;
    if (first === Infinity && second === Infinity) return null;
    const third = added === undefined ? [] : [added];
    if (first <= second) return [b.op("Gemm", [turned(b, x), y, ...third], scales)];
    return [turnedBack(b, b.op("Gemm", [turned(b, y), x, ...third.map((matrix) => turned(b, matrix))], scales))];
  });
}
