import { assertEquals, assertThrows } from "@std/assert";
import { parseInterval } from "../../cli/stopping.ts";
import { Refusal } from "../../core/refusal.ts";

Deno.test("parseInterval() reads steps and times, and says how to write one otherwise", () => {
  const read = (text: string) => parseInterval("--checkpoint-every", text);
  assertEquals(read("500"), { steps: 500 });
  assertEquals(read("30s"), { seconds: 30 });
  assertEquals(read("0.5s"), { seconds: 0.5 });
  assertEquals(read("5min"), { seconds: 300 });
  assertEquals(read("2h"), { seconds: 7200 });
  for (const text of ["0", "0s", "-1", "1.5", "30 s", "s", "1d", "1e9", "", "constructor", "9".repeat(40)]) {
    assertThrows(() => read(text), Refusal, `found "${text}"; write 500, 30s, 5min or 2h`);
  }
});
