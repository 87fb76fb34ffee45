/** Every option of what is built in says where its default comes from, and which values are worth trying. */
import { assert } from "@std/assert";
import { createLibrary } from "../../library.ts";

const library = createLibrary();
const plugins = (["dataset", "encoder", "fusion", "method", "estimator", "loss", "sampler", "augmentation"] as const)
  .flatMap((
    kind,
  ) => [
    ...library.of(kind).list(),
  ]);

/** Numbers that are not for tuning, by the reason. */
const GIVEN: Readonly<Record<string, readonly string[]>> = {
  "the data decide": ["bert", "bert-base", "distilbert"].flatMap((name) => [
    `${name}.vocabulary`,
    `${name}.positions`,
    `${name}.padding`,
  ]).concat("token-dropout.as"),
};
const given = Object.values(GIVEN).flat();

for (const { kind, name, options } of plugins) {
  Deno.test(`${kind} ${name}: options have a source, numbers that can be tuned have values worth trying`, () => {
    for (const [option, spec] of Object.entries(options)) {
      assert(spec.source !== undefined && spec.source.trim() !== "", `option "${option}" has no source`);
      if (kind === "dataset" || given.includes(`${name}.${option}`)) continue;
      if (spec.type !== "number" && spec.type !== "integer") continue;
      assert(spec.tune !== undefined && spec.tune.length >= 2, `option "${option}" has no values worth trying`);
      // Presets start elsewhere than the method whose options they share.
      const apart = new Set(spec.tune).size === spec.tune.length;
      assert(apart, `values worth trying of "${option}" repeat: ${spec.tune.join(", ")}`);
    }
  });
}

Deno.test("every option that is excused exists", () => {
  for (const path of given) {
    const [name, option] = path.split(".");
    assert(plugins.some((plugin) => plugin.name === name && Object.hasOwn(plugin.options, option)), path);
  }
});
