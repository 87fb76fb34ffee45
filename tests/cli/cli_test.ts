import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { type Command, commands } from "../../cli/main.ts";
import { armlab, inFolder, said } from "../helpers/cli.ts";

Deno.test("help, version, list and describe say what there is", async () => {
  const help = await armlab("--help");
  assertEquals(help.code, 0);
  for (const command of ["bench", "list", "describe", "doctor"]) assertStringIncludes(help.out, `  ${command}`);
  assertEquals((await said()).code, 2);
  assert(/^\d+\.\d+\.\d+$/.test((await armlab("--version")).out.trim()));
  const list = await said("list");
  for (const name of ["av-digits", "cnn", "concat", "arm", "onnx:cpu", "quick"]) {
    assertStringIncludes(list.out, `  ${name} `);
  }
  const describe = await said("describe", "arm", "quick");
  assertStringIncludes(describe.out, "lambda1 = 0.1:");
  assertStringIncludes(describe.out, "AAAI 2025");
  assertStringIncludes(describe.out, "Works with: every fusion; 2, 3, 4 modalities (of 1 to 4)");
  assertStringIncludes(describe.out, "Not together with arm-bmml: both add ARM's loss L_phiMI");
  assertStringIncludes(describe.out, "Configurations: concat, sum, ogm-ge, uni-ce, arm");
  const resnet = await said("describe", "resnet18", "mmtm");
  assertStringIncludes(resnet.out, "[224, 224, 3]: 11.2 M parameters, 1.81 G multiply-adds");
  assertStringIncludes(resnet.out, "Gives: pooled features, 4 stages");
  assertStringIncludes(resnet.out, "Needs of encoders: pooled features and the 3 deepest stages");
  assertStringIncludes(resnet.out, "A modality's own readout: own: a head of its own");
  assertStringIncludes(resnet.out, "3 x cnn on [28, 28, 1], 10 classes: 16.2 k parameters, 15.9 k multiply-adds");
  const greedy = (await said("describe", "greedy")).out;
  assertStringIncludes(greedy, "Works with: mmtm; 2, 3, 4 modalities");
  assertStringIncludes(greedy, "Refuses bigated, centralnet, concat");
  assertStringIncludes(greedy, "greedy+ogm-ge");
  assertStringIncludes(greedy, "epsilon = 0.01: least lead in log10 speed");
  assertStringIncludes(greedy, "(a number >= 0; worth trying: 0.001, 0.01, 0.1) [released configuration]");
  const mmtm = (await said("describe", "mmtm")).out;
  assertStringIncludes(mmtm, "Encoders that fit with default options: bert-base, cnn, ");
  assertStringIncludes(mmtm, "Not bert, transformer: the fusion looks at the 3 deepest stages");
  const cnn = (await said("describe", "cnn")).out;
  assertStringIncludes(cnn, "Takes, for instance: a map of one channel [12, 10, 1]");
  assertEquals((await said("bench", "--describe", "concat")).out, (await said("describe", "concat")).out);
  assertStringIncludes((await said("bench", "--help")).out, "--set KEY=VALUE");
});

Deno.test("doctor reports engines, in words and as JSON", async () => {
  const { out, err } = await armlab("doctor");
  assertStringIncludes(out, "ok       onnx:cpu: onnxruntime-node");
  // What drivers print while they are tried is counted, and stands in the JSON.
  assertEquals(err, "");
  const report = JSON.parse((await armlab("doctor", "--json")).out);
  assertEquals(report.chosen, "onnx:cpu");
  const names = ["onnx:cpu", "onnx:webgpu", "onnx:cuda", "tfjs-node", "tfjs-node-gpu", "webgpu", "wasm", "cpu"];
  assertEquals(report.engines.map(({ name }: { name: string }) => name), names);
  for (const { name, missing, version, device } of report.engines) {
    // Either it works and says on what, or it says what is missing and how to get it.
    if (missing === null) assert(version.length > 0 && device.length > 0, name);
    else assert(missing.what.length > 10 && (missing.get === null || missing.get.length > 5), name);
  }
  for (const name of ["onnx:cpu", "wasm", "cpu"]) {
    assertEquals(report.engines.find((engine: { name: string }) => engine.name === name).missing, null);
  }
});

Deno.test("every wrong argument is one clear line and a non-zero exit, and nothing is written", () =>
  inFolder(async (folder) => {
    const runs = `${folder}/runs`;
    const cases: [string[], string][] = [
      [["benhc"], 'Cannot find command "benhc": commands are bench'],
      [["describe", "amr"], 'Cannot describe "amr": known names are'],
      [["bench", "--fuson", "sum"], 'Cannot use option --fuson of "bench": its options are --grid'],
      [["bench", "sum"], 'Cannot find grid "sum": registered names are quick, fusion, baselines'],
      [["bench", "quick", "sum"], 'Cannot use argument "sum" of "bench"'],
      [["bench", "--fusion", "smu"], 'Cannot find fusion "smu": registered names are bigated, centralnet, concat,'],
      [["bench", "--method", "sample-valuation+arm"], "re-samples without passing that on; write arm+sample-valuation"],
      [["bench", "--compare", "none,ogm+ogm-ge"], 'Cannot compose "ogm" and "ogm-ge" as both damp the encoders'],
      [
        ["bench", "--method", "ogm,ogm-ge"],
        "damp the encoders' gradients by OGM's ratio; to compare them write --compare ogm,ogm-ge",
      ],
      [["bench", "--method", "none,arm"], 'Cannot put "none" on one model with other methods'],
      [["bench", "--method", "arm,"], 'Cannot read methods "arm,"'],
      [["bench", "--seeds", "0"], 'Cannot use --seeds as it must be an integer >= 1: found "0"'],
      [["bench", "--epochs", "x"], 'must be an integer >= 1 and <= 1000000: found "x"'],
      [["bench", "--budget", "time"], "must be one of samples, epochs"],
      [["bench", "--engine", "cuda"], 'Cannot find engine "cuda": engines are onnx:cpu, '],
      [["bench", "--grid", "qiuck"], 'Cannot find grid "qiuck": registered names are quick'],
      [["bench", "--grid", "quick", "--fusion", "sum"], "Cannot use --grid together with"],
      [["bench", "--set", "arm.lambda1=-1", "--method", "arm"], "must be a number >= 0: found -1"],
      [["bench", "--dataset", "mnist"], 'Cannot find dataset "mnist": registered names are av-digits'],
      [["bench", "--plugin", `${folder}/none.ts`], "Cannot import plugin"],
      [["bench", "--runs", "/dev/null/x"], "Cannot"],
      [["bench", "--workers", "0"], "must be an integer >= 1"],
      [["bench", "--on-error", "shrug"], 'must be one of continue, stop: found "shrug"'],
      [["bench", "--only", "nope#0"], 'Cannot find configuration "nope" of --only'],
    ];
    await Promise.all(
      cases.map(async ([args, message]) => {
        const given = args[0] === "bench" && !args.includes("--runs") ? [...args, "--runs", runs] : args;
        const { code, err } = await said(...given);
        assertEquals(code, 2, `${args.join(" ")}: ${err}`);
        assertStringIncludes(err, message);
        assert(!err.includes("    at "), err);
      }),
    );
    assertEquals([...Deno.readDirSync(folder)], []);
  }));

Deno.test("list --json has a line for each part; describe groups ARM's options, and tells grids, training and measures", async () => {
  const [list, describe] = await Promise.all([
    armlab("list", "--json", "--no-color"),
    said("describe", "arm", "table1", "training", "measures"),
  ]);
  const parts = list.out.trim().split("\n").map((line) => JSON.parse(line));
  assertEquals(parts.filter(({ kind, name }) => kind === "method" && name === "arm").length, 1);
  assertEquals(Object.keys(parts[0]), ["kind", "name", "about", "formula", "source"]);
  const { out } = describe;
  const place = (text: string) => {
    assertStringIncludes(out, text);
    return out.indexOf(text);
  };
  // Options stand under their headings.
  assert(place("Valuation:") < place("estimator = histogram") && place("estimator = histogram") < place("Gradients:"));
  assert(place("Gradients:") < place("gradient = ") && place("Re-sampling (DSR):") < place("sampler = dsr"));
  for (
    const text of [
      "Data: av-digits",
      "Encoders: cnn of every modality",
      "Profile paper: ",
      "Printed: ARM (AAAI 2025), Table 1",
      "Expected time: deno task armlab reproduce table1 --dry-run says it",
      "learningRate = 0.02: start of the schedule",
      "accuracy:<modality> = <modality> readout (percent)",
    ]
  ) place(text);
});

Deno.test("the list of commands says of each what the command says of itself", async () => {
  for (const { name, about } of commands) {
    const module = await import(`../../cli/${name.replaceAll("-", "_")}.ts`);
    const own = Object.values(module).find((value) => (value as Command)?.name === name) as Command;
    assertEquals(about, own.about, name);
  }
});
