import { assertEquals, assertRejects } from "@std/assert";
import { Turns } from "../../core/turns.ts";

Deno.test("Turns.next() begins when the one before has ended, also where that failed", async () => {
  const turns = new Turns();
  const said: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const first = turns.next(async () => {
    said.push("first begins");
    await promise;
    said.push("first ends");
    return 1;
  });
  const second = turns.next(() => {
    said.push("second");
    throw new Error("no");
  });
  const third = turns.next(() => said.push("third"));
  await new Promise((soon) => setTimeout(soon, 5));
  assertEquals(said, ["first begins"]);
  resolve();
  assertEquals(await first, 1);
  await assertRejects(() => second, Error, "no");
  await third;
  assertEquals(said, ["first begins", "first ends", "second", "third"]);
});
