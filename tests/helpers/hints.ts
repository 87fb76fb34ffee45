/** Every remedy that the source can say, read from its syntax. */
import { join } from "node:path";

/** A remedy: where it stands, and its text with "…" for what is filled in. */
export interface Hint {
  readonly path: string;
  readonly line: number;
  readonly text: string;
}

const ROOT = new URL("../../", import.meta.url).pathname;
/** Folders that are no part of the product. */
const apart = new Set(["tests", "tools", "node_modules", "runs", "docs"]);

// deno-lint-ignore no-explicit-any -- a node of the syntax tree, of any kind
type Node = any;

/** The texts that an expression can have: branches apart, "…" for what is filled in. */
function texts(node: Node): string[] {
  switch (node?.type) {
    case "Literal":
      return typeof node.value === "string" ? [node.value] : [];
    case "TemplateLiteral":
      return [node.quasis.map((quasi: Node) => quasi.cooked ?? quasi.raw ?? "").join("…")];
    case "ConditionalExpression":
      return [...texts(node.consequent), ...texts(node.alternate)];
    case "LogicalExpression":
      return texts(node.right);
    case "BinaryExpression": {
      const [left, right] = [texts(node.left), texts(node.right)];
      return [`${left[0] ?? "…"}${right[0] ?? "…"}`];
    }
    default:
      return [];
  }
}

/** The name of what a parameter binds. */
const named = (param: Node): string | undefined =>
  param.type === "AssignmentPattern" ? named(param.left) : param.type === "Identifier" ? param.name : undefined;

/** All remedies of one file. */
function hintsOf(path: string, source: string): Hint[] {
  const found = new Map<string, Hint>();
  const lines = (at: number) => source.slice(0, at).split("\n").length;
  const add = (node: Node) => {
    for (const text of texts(node)) {
      if (/[a-z]/.test(text)) found.set(text, { path, line: lines(node.range[0]), text });
    }
  };
  // Who takes a remedy, at which place, and from where on: a name may be another function's further down.
  const takers: { name: string; at: number; from: number }[] = [];
  const tuples = new Set<number>();
  const calls: Node[] = [];
  const rows: Node[] = [];
  const declared = (name: string | undefined, params: readonly Node[], from: number) => {
    const at = params.findIndex((param) => named(param) === "hint");
    if (name !== undefined && at >= 0) takers.push({ name, at, from });
  };
  const plugin: Deno.lint.Plugin = {
    name: "hints",
    rules: {
      hints: {
        create: () =>
          ({
            Property(node: Node) {
              if (node.key.name === "hint") add(node.value);
            },
            AssignmentPattern(node: Node) {
              if (node.left.name === "hint") add(node.right);
            },
            VariableDeclarator(node: Node) {
              if (node.id.name === "hint") add(node.init);
              if (node.init?.type === "ArrowFunctionExpression") {
                declared(node.id.name, node.init.params, node.range[0]);
              }
              if (node.id.type === "ArrayPattern") {
                tuples.add(node.id.elements.findIndex((element: Node) => element?.name === "hint"));
              }
            },
            FunctionDeclaration(node: Node) {
              declared(node.id?.name, node.params, 0);
            },
            MethodDefinition(node: Node) {
              declared(node.key.name, node.value.params, 0);
            },
            ReturnStatement(node: Node) {
              // What a function that makes such functions gives back is called refuse.
              if (node.argument?.type === "ArrowFunctionExpression") declared("refuse", node.argument.params, 0);
            },
            CallExpression(node: Node) {
              calls.push(node);
            },
            ArrayExpression(node: Node) {
              rows.push(node);
            },
          }) as Deno.lint.LintVisitor,
      },
    },
  };
  Deno.lint.runPlugin(plugin, path.endsWith("x") ? "file.tsx" : "file.ts", source);
  for (const { callee, arguments: given, range } of calls) {
    const name = callee.name ?? callee.property?.name;
    const taker = takers.findLast((one) => one.name === name && one.from <= range[0]);
    // Those of another file take it third.
    const at = taker?.at ?? (name === "refuse" ? 2 : undefined);
    if (at !== undefined && given.length > at) add(given[at]);
  }
  for (const at of tuples) {
    if (at > 0) { for (const row of rows) if (row.elements.length > at) add(row.elements[at]); }
  }
  return [...found.values()];
}

/** The source files under a folder, as paths from the root. */
function* sources(folder = ""): Generator<string> {
  for (const { name, isDirectory } of Deno.readDirSync(join(ROOT, folder))) {
    const path = join(folder, name);
    if (isDirectory && !apart.has(path) && !name.startsWith(".")) yield* sources(path);
    else if (/\.tsx?$/.test(name)) yield path;
  }
}

/** All remedies of the source, by path and place. */
export function allHints(): Hint[] {
  return [...sources()].sort().flatMap((path) => {
    const source = Deno.readTextFileSync(join(ROOT, path));
    return /\bhint\b|\brefuse/.test(source) ? hintsOf(path, source) : [];
  });
}
