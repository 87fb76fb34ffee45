/** Tables of the paper from the command line, in miniature. */
import { assert, assertEquals, assertMatch, assertStringIncludes } from "@std/assert";
import { armlab, inFolder } from "../helpers/cli.ts";

Deno.test("reproduce says how long it will take before it starts, then puts measured beside printed, and keeps its runs", () =>
  inFolder(async (folder) => {
    const args = [
      "fig5",
      "--set",
      "dataset.size=mini",
      "--epochs",
      "1",
      "--seeds",
      "1",
      "--workers",
      "1",
      "--runs",
      folder,
    ];
    const first = await armlab("reproduce", ...args);
    assertEquals(first.code, 0, first.err);
    assertMatch(first.err, /^3 runs to make, .*\(from .*\)\.$/m);
    assert(first.err.indexOf("3 runs to make") < first.err.indexOf("finished"), first.err);
    assertStringIncludes(first.out, "ARM (AAAI 2025), Fig. 5: KS, measured on av-digits");
    assertStringIncludes(first.out, "nothing printed to compare with");
    assertStringIncludes(first.out, "No printed value is known.");
    const [again, plan] = await Promise.all([
      armlab("reproduce", ...args, "--json"),
      armlab("reproduce", ...args, "--dry-run"),
    ]);
    const [column] = again.out.trim().split("\n").map((line) => JSON.parse(line));
    assertEquals(column.rows.map(({ subject, printed }: Record<string, unknown>) => [subject, printed]), [
      ["ARM", null],
      ["ARM without L_phiMI", null],
      ["ARM without L_phiCMI", null],
    ]);
    assertStringIncludes(plan.out, "All runs are kept: nothing is left to train.");
  }));

Deno.test("reproduce and --profile refuse what is no table, no profile, and rows that a table does not have", async () => {
  const cases: [string[], string][] = [
    [["reproduce", "quick"], 'Cannot reproduce "quick" as it must be a table of the paper: those are table1'],
    [["reproduce", "table9"], "did you mean"],
    [["reproduce", "table1", "--profile", "papers"], 'Cannot use profile "papers" of grid "table1"'],
    [["reproduce", "table1", "--set", "arm.lambda1=0,1"], "as a table has the rows that it has"],
    [["bench", "quick", "--profile", "paper"], "it has none"],
    [["bench", "table1", "--profile", "paper"], "data/kinetics-sounds is not there, data/ucf-51 is not there"],
    [
      ["reproduce", "table1", "--profile", "paper"],
      "deno task armlab data prepare kinetics-sounds --from FOLDER --to data/kinetics-sounds",
    ],
    [["bench", "--fusion", "sum", "--profile", "paper"], "it must stand beside the name of a grid"],
    [["tune", "--compare", "none", "--set", "training.learningRate=0.1", "--dry-run"], 'Cannot tune "concat"'],
    [["bench", "--keep", "everything"], "features, test-curve"],
  ];
  const ended = await Promise.all(cases.map(([args]) => armlab(...args)));
  ended.forEach(({ code, err }, i) => {
    assertEquals(code, 2, `${cases[i][0].join(" ")}: ${err}`);
    assertStringIncludes(err, cases[i][1]);
  });
});
