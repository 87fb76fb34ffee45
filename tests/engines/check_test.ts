/** The checks that all engines make at their border, by themselves: each thing that is wrong is one refusal. */
import { assertEquals, assertThrows } from "@std/assert";
import { float32, type HostTensor, type NamedHostTensors, type Program } from "../../core/program.ts";
import { Refusal } from "../../core/refusal.ts";
import { checkFeeds, checkHost, checkRead, checkSet, checkStart, checkState, checkWrite } from "../../engines/check.ts";

const spec = (shape: readonly number[], dtype: "float32" | "int32" | "bool" = "float32") => ({ shape, dtype });
const tensor = (data: unknown, shape: readonly number[], dtype: string) => ({ data, shape, dtype }) as HostTensor;
const program: Program = {
  name: "p",
  state: { w: spec([2]) },
  inputs: { x: spec([2]), t: spec([2], "bool") },
  apply: () => ({ state: {}, outputs: {} }),
};
const good: NamedHostTensors = {
  x: float32([1, 2], [2]),
  t: tensor(Uint8Array.of(0, 1), [2], "bool"),
};
const refuses = (run: () => void, message: string) => {
  assertEquals(assertThrows(run, Refusal).message, message);
};

Deno.test("checkHost() holds arrays to their type, shape and truths", () => {
  const check = (data: unknown, shape: readonly number[], dtype: string) => () =>
    checkHost("feed", "x", tensor(data, shape, dtype));
  for (
    const [data, shape, dtype] of [
      [new Float32Array(6), [2, 3], "float32"],
      [new Float32Array(1), [], "float32"],
      [new Int32Array(0), [0, 3], "int32"],
      [Uint8Array.of(0, 1), [2], "bool"],
      [Int32Array.of(300, -5), [2], "int32"],
    ] as const
  ) check(data, shape, dtype)();
  refuses(
    check(new Int32Array(2), [2], "float32"),
    "Cannot feed as x must be float32 in a Float32Array: found Int32Array",
  );
  refuses(
    check(new Float64Array(2), [2], "float32"),
    "Cannot feed as x must be float32 in a Float32Array: found Float64Array",
  );
  refuses(
    check(new Float32Array(2), [2], "int32"),
    "Cannot feed as x must be int32 in an Int32Array: found Float32Array",
  );
  refuses(check(new Int8Array(2), [2], "bool"), "Cannot feed as x must be bool in a Uint8Array: found Int8Array");
  refuses(check([1, 2], [2], "float32"), "Cannot feed as x must be float32 in a Float32Array: found Array");
  refuses(check(undefined, [2], "float32"), "Cannot feed as x must be float32 in a Float32Array: found Object");
  refuses(check(new Float32Array(3), [2], "float32"), "Cannot feed as x must be float32 [2], 2 values: found 3");
  refuses(check(new Float32Array(1), [2], "float32"), "Cannot feed as x must be float32 [2], 2 values: found 1");
  refuses(
    check(new Float64Array(2), [2], "float64"),
    "Cannot feed as x must be of type float32, int32, bool: found float64",
  );
  refuses(
    check(new Float32Array(2), [2], "toString"),
    "Cannot feed as x must be of type float32, int32, bool: found toString",
  );
  refuses(
    check(new Float32Array(2), [-1, -2], "float32"),
    "Cannot feed as x must be of a shape of integers >= 0: found [-1, -2]",
  );
  refuses(
    check(new Float32Array(2), [0.5, 4], "float32"),
    "Cannot feed as x must be of a shape of integers >= 0: found [0.5, 4]",
  );
  refuses(
    check(Uint8Array.of(1, 2), [2], "bool"),
    "Cannot feed as x must be bool, bytes of 0 and 1: found 2 at place 1",
  );
});

Deno.test("checkFeeds() wants every input, no other, each of its shape, type and array", () => {
  checkFeeds(program, good);
  refuses(() => checkFeeds(program, { x: good.x }), 'Cannot run program "p": input "t" is missing');
  refuses(() => checkFeeds(program, { ...good, y: good.x }), 'Cannot run program "p": input "y" is not among x, t');
  refuses(
    () => checkFeeds(program, { ...good, x: float32([1, 2], [1, 2]) }),
    'Cannot run program "p" as input "x" must be float32 [2]: found float32 [1, 2]',
  );
  refuses(
    () => checkFeeds(program, { ...good, t: good.x }),
    'Cannot run program "p" as input "t" must be bool [2]: found float32 [2]',
  );
  refuses(
    () => checkFeeds(program, { ...good, x: tensor(new Int32Array(2), [2], "float32") }),
    'Cannot run program "p" as input "x" must be float32 in a Float32Array: found Int32Array',
  );
});

Deno.test("checkState(), checkStart(), checkRead(), checkWrite() and checkSet() know their names, own ones only", () => {
  checkState(program, { w: spec([2]), other: spec([7]) });
  refuses(() => checkState(program, {}), 'Cannot run program "p" as state "w" must be float32 [2]: found none');
  refuses(
    () => checkState(program, { w: spec([3]) }),
    'Cannot run program "p" as state "w" must be float32 [2]: found float32 [3]',
  );
  refuses(
    () => checkState(program, { w: spec([2], "int32") }),
    'Cannot run program "p" as state "w" must be float32 [2]: found int32 [2]',
  );
  checkStart(good);
  refuses(
    () => checkStart({ w: tensor(new Float64Array(2), [2], "float32") }),
    'Cannot make a state as "w" must be float32 in a Float32Array: found Float64Array',
  );
  checkRead({ w: 1 }, ["w"]);
  for (const name of ["v", "constructor", "toString"]) {
    refuses(() => checkRead({ w: 1 }, ["w", name]), `Cannot read state "${name}": there is none of that name`);
    refuses(
      () => checkWrite({ w: spec([2]) }, { [name]: good.x }),
      `Cannot write state "${name}": there is none of that name`,
    );
    refuses(
      () => checkSet(program, name, [2], "float32"),
      `Cannot run program "p" as it may set declared state only: it sets "${name}"`,
    );
  }
  checkWrite({ w: spec([2]) }, { w: good.x });
  refuses(
    () => checkWrite({ w: spec([3]) }, { w: good.x }),
    'Cannot write state "w" as it must be float32 [3]: found float32 [2]',
  );
  refuses(
    () => checkWrite({ w: spec([2]) }, { w: tensor([1, 2], [2], "float32") }),
    'Cannot write state "w" as it must be float32 in a Float32Array: found Array',
  );
  checkSet(program, "w", [2], "float32");
  refuses(
    () => checkSet(program, "w", [2], "int32"),
    'Cannot run program "p" as it must set state "w" to float32 [2]: found int32 [2]',
  );
});
