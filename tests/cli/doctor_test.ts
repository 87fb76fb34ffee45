import { assertEquals, assertRejects } from "@std/assert";
import { probed, type ProbeOutput } from "../../cli/doctor.ts";
import { Refusal } from "../../core/refusal.ts";

const about = "an engine";
const works = (name: string) => ({ name, about, missing: null, version: "1", device: "CPU" });

Deno.test("probed tells an engine that ends the process which tries it, and tries those after it", async () => {
  const answers: ProbeOutput[] = [
    {
      lines: [
        { trying: { name: "a", about } },
        { found: works("a") },
        { trying: { name: "b", about } },
      ],
      said: ["a driver's last words"],
      ended: "SIGSEGV",
    },
    { lines: [{ trying: { name: "c", about } }, { found: works("c") }, { chosen: "a" }], said: [], ended: "code 0" },
  ];
  const asked: number[] = [];
  const { engines, chosen, said } = await probed((from) => {
    asked.push(from);
    return Promise.resolve(answers[asked.length - 1]);
  });
  assertEquals(asked, [0, 2]);
  assertEquals(engines, [
    works("a"),
    {
      name: "b",
      about,
      missing: { what: "the process that tried it ended with SIGSEGV: a driver may be broken", get: null },
    },
    works("c"),
  ]);
  assertEquals([chosen, said], ["a", ["a driver's last words"]]);
});

Deno.test("probed refuses where no engine was reached", async () => {
  await assertRejects(
    () => probed(() => Promise.resolve({ lines: [], said: ["no such file"], ended: "code 1" })),
    Refusal,
    "it ended with code 1 and said no such file",
  );
});
