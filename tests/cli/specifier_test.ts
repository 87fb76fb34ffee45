/**
 * Plugins as others publish them: in a folder of its own that holds nothing of this repository, armlab and the plugin are
 * packages. JSR packages are linked; the npm package comes from a registry on the loopback interface.
 */
import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { VERSION } from "../../version.ts";
import { inFolder } from "../helpers/cli.ts";
import { withRegistry } from "../helpers/npm_registry.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const ours = ["", "standins/std_assert", "standins/std_cli", "standins/std_csv"].map((path) => join(root, path));

/** Runs the published command line in a folder. */
async function armlab(folder: string, ...args: string[]): Promise<{ code: number; out: string; err: string }> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", `jsr:@armlab/armlab@${VERSION}/cli`, ...args],
    cwd: folder,
    env: { NO_COLOR: "1" },
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, out: decode(stdout), err: decode(stderr) };
}

/** A folder with packages beside ours. */
async function project(folder: string, links: readonly string[], npmrc = ""): Promise<void> {
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ links: [...links, ...ours], lock: false }));
  await Deno.writeTextFile(join(folder, ".npmrc"), npmrc);
}

/** Everything that a registered part takes part in. */
async function takesPart(folder: string, specifier: string, name: string): Promise<void> {
  const plugin = ["--plugin", specifier];
  const small = ["--encoder", "mlp", "--set", "dataset.size=mini", "--epochs", "1", "--seeds", "1"];
  const [list, describe, check, bench] = await Promise.all([
    armlab(folder, "list", ...plugin),
    armlab(folder, "describe", name, ...plugin),
    armlab(folder, "check", specifier),
    armlab(folder, "bench", ...plugin, "--fusion", name, ...small, "--set", `${name}.width=4`, "--json"),
  ]);
  for (const { code, err } of [list, describe, check, bench]) assertEquals(code, 0, err);
  assertStringIncludes(list.out, `  ${name} `);
  assertStringIncludes(describe.out, "width = 8: fused width (an integer >= 1)");
  assertStringIncludes(check.out, `fusion "${name}"`);
  assertStringIncludes(check.out, " 0 broken, ");
  const result = JSON.parse(bench.out.trim());
  assertEquals(result.fusion, name);
  const config = JSON.parse(await Deno.readTextFile(join(folder, "runs", result.runs[0], "config.json")));
  assertEquals([config.plugins, config.fusion.options], [[specifier], { width: 4 }]);
}

Deno.test("a fusion of a JSR package takes part like any other: --plugin jsr:", () =>
  inFolder(async (folder) => {
    const own = join(folder, "their-fusion");
    await Deno.mkdir(own);
    await Deno.writeTextFile(
      join(own, "deno.json"),
      JSON.stringify({
        name: "@someone/fusion",
        version: "2.0.0",
        exports: "./mod.ts",
        imports: { "@armlab/armlab": "jsr:@armlab/armlab@^0.1.0", "@tensorflow/tfjs": "npm:@tensorflow/tfjs@4.22.0" },
      }),
    );
    await Deno.writeTextFile(
      join(own, "mod.ts"),
      `import * as tf from "@tensorflow/tfjs";
       import { defineFusion, type FusionPlugin } from "@armlab/armlab";
       import { linear } from "@armlab/armlab/nn";
       export const theirs: FusionPlugin = defineFusion<{ width: number }>({
         name: "theirs", about: "summed projections",
         options: { width: { type: "integer", default: 8, min: 1, about: "fused width", source: "a test" } },
         create: ({ width }, { modalities, classes }) => ({
           needs: {},
           soloMode: "ablate-zero",
           forward(features, keep, scope) {
             const fused = tf.addN(modalities.map((modality) => {
               const own = linear(scope.group("fusion").in(modality), features[modality].pooled, { width, bias: false });
               return keep === null ? own : tf.mul(own, keep[modality]);
             })) as tf.Tensor2D;
             return { fused, logits: linear(scope.group("head"), fused, { width: classes }) as tf.Tensor2D };
           },
         }),
       });`,
    );
    await project(folder, [own]);
    await takesPart(folder, "jsr:@someone/fusion@2", "theirs");
  }));

/** An npm package's plain value, which imports nothing of armlab. */
const PLAIN = `import * as tf from "@tensorflow/tfjs";
  const uniform = (shape, random) =>
    Float32Array.from({ length: shape[0] * shape[1] }, () => random.uniform() - 0.5);
  export const plain = {
    kind: "fusion", name: "plain", about: "summed projections",
    options: { width: { type: "integer", default: 8, min: 1, about: "fused width", source: "a test" } },
    create: ({ width }, { modalities, classes }) => ({
      needs: {},
      soloMode: "ablate-zero",
      forward(features, keep, scope) {
        const fused = tf.addN(modalities.map((modality) => {
          const { pooled } = features[modality];
          const kernel = scope.group("fusion").in(modality).param("kernel", [pooled.shape[1], width], uniform);
          const own = tf.matMul(pooled, kernel);
          return keep === null ? own : tf.mul(own, keep[modality]);
        }));
        return { fused, logits: tf.matMul(fused, scope.group("head").param("kernel", [width, classes], uniform)) };
      },
    }),
  };`;

const PACKAGE = { name: "@someone/plain", version: "1.2.3", type: "module", exports: "./mod.js" };

Deno.test("a fusion of an npm package takes part like any other: --plugin npm:", () =>
  inFolder(async (folder) => {
    const about = { ...PACKAGE, dependencies: { "@tensorflow/tfjs": "4.22.0" } };
    await withRegistry({ "package.json": JSON.stringify(about), "mod.js": PLAIN }, async (registry) => {
      await project(folder, [], `@someone:registry=${registry}\n`);
      await takesPart(folder, "npm:@someone/plain@1.2.3", "plain");
    });
  }));

Deno.test("a package that cannot be had, or lacks what it imports, is one clear line", () =>
  inFolder(async (folder) => {
    const source = 'import { defineFusion } from "@armlab/armlab"; export const x = defineFusion({});';
    await withRegistry({ "package.json": JSON.stringify(PACKAGE), "mod.js": source }, async (registry) => {
      await project(folder, [], `@someone:registry=${registry}\n`);
      const [lacking, unknown] = await Promise.all([
        armlab(folder, "list", "--plugin", "npm:@someone/plain"),
        armlab(folder, "check", "npm:@someone/else"),
      ]);
      assertEquals([lacking.code, unknown.code], [2, 2]);
      for (const { err } of [lacking, unknown]) assert(!err.includes("    at async"), err);
      assertStringIncludes(lacking.err, 'armlab list: Cannot import plugin "npm:@someone/plain": ');
      assertStringIncludes(lacking.err, "@armlab/armlab");
      assertStringIncludes(unknown.err, 'armlab check: Cannot import plugin "npm:@someone/else": ');
    });
  }));
