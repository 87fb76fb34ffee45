/** docs/methods.md has every method, in order, with its formula, and names no option that a method lacks. */
import { assert, assertEquals } from "@std/assert";
import { createLibrary } from "../../library.ts";

const text = await Deno.readTextFile(new URL("../../docs/methods.md", import.meta.url));
const sections = text.split(/^## /m).slice(1).map((section) => {
  const [title, ...lines] = section.split("\n");
  return { title, body: lines.join("\n") };
});
const methods = createLibrary().of("method");
/** Written about elsewhere: the reference, what is built of parts, ARM and its presets, and the first baselines. */
const elsewhere = (name: string) => ["none", "recipe"].includes(name) || name === "arm" || name.startsWith("arm-");

Deno.test("docs/methods.md: sections stand in alphabetical order, and each is a registered method", () => {
  const names = sections.map(({ title }) => title).filter((title) => /^[a-z]/.test(title));
  assertEquals(names, [...names].sort());
  for (const name of names) assert(methods.names().includes(name), name);
});

Deno.test("docs/methods.md: every method but ARM's has a section with a formula and a cost", () => {
  const missing = methods.names().filter((name) => !elsewhere(name) && !sections.some(({ title }) => title === name));
  assertEquals(missing, []);
  for (const { title, body } of sections) {
    if (!/^[a-z]/.test(title)) continue;
    assert(/```\n[^`]+```/.test(body), `${title} has no formula`);
    assert(/[Cc]ost/.test(body.replaceAll("\n", " ")), `${title} says no cost`);
  }
});

Deno.test("docs/methods.md: options written as `name: value` exist and take the value", () => {
  for (const { title, body } of sections) {
    if (!/^[a-z]/.test(title)) continue;
    const { options } = methods.get(title);
    for (const [_, name, value] of body.matchAll(/`(\w+): ([\w-]+)`/g)) {
      const spec = options[name];
      assert(spec !== undefined, `${title} has no option ${name}`);
      if (spec.type === "choice") assert(spec.choices.includes(value), `${title}: ${name} is never ${value}`);
    }
  }
});
