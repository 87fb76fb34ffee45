/**
 * The OpenAPI document of the interface for programs, made from the schemas of its answers.
 *
 * @module
 */
import { z } from "zod";
import { VERSION } from "../version.ts";
import { answers, change } from "./answers.ts";
import type { StreamEvents } from "./events.ts";

/** An event as it comes over the wire: its data is text. */
const event = {
  type: "object",
  required: ["event", "data"],
  properties: {
    event: { const: "change" satisfies keyof StreamEvents },
    data: {
      type: "string",
      contentMediaType: "application/json",
      contentSchema: { $ref: "#/components/schemas/Change" },
    },
    retry: { type: "integer", minimum: 0, description: "Milliseconds after which to come back after a break" },
  },
  additionalProperties: false,
} as const;

/** A parameter of an address. */
interface Parameter {
  readonly name: string;
  readonly in: "path" | "query";
  readonly required: boolean;
  readonly description: string;
  readonly schema: { readonly type: string };
}

/** One address. */
export interface Operation {
  readonly summary: string;
  readonly operationId: string;
  readonly parameters: readonly Parameter[];
  readonly responses: Readonly<Record<string, unknown>>;
}

/** The document. */
export interface OpenApi {
  readonly openapi: "3.2.0";
  readonly info: {
    readonly title: string;
    readonly version: string;
    readonly description: string;
    readonly license: { readonly name: string; readonly identifier: string };
  };
  readonly paths: Readonly<Record<string, { readonly get: Operation }>>;
  readonly servers: readonly { readonly url: string }[];
  readonly security: readonly Readonly<Record<string, readonly string[]>>[];
  readonly components: {
    readonly schemas: Readonly<Record<string, unknown>>;
    readonly securitySchemes: Readonly<Record<string, unknown>>;
  };
}

const gridParameters: Readonly<Record<string, string>> = {
  q: "Words and conditions, such as training.epochs>=10",
  dataset: "Names, separated by commas",
  fusion: "Names, separated by commas",
  method: "Names, separated by commas",
  state: "With a run in one of these states, separated by commas",
  sort: "Key of a column; with - before it, descending",
  group: "none, dataset, fusion or method",
  settings: "differing, all or none",
  columns: "Keys of measures, separated by commas",
  page: "From 1",
};
const compareParameters: Readonly<Record<string, string>> = {
  c: "Ids of configurations, separated by commas",
  r: "Ids of runs, separated by commas",
  metric: "Keys of measures, separated by commas",
  smooth: "Weight of the exponential moving average, 0 to 0.99",
  x: "epoch or samples",
  reference: "Id of what the others are tested against",
  y: "linear or log",
  from: "First epoch or sample that is drawn",
  to: "Last epoch or sample that is drawn",
};
const sampleParameters: Readonly<Record<string, string>> = {
  run: "Id of a finished run; else the first",
  split: "test or validation",
  truth: "Index of the true class",
  predicted: "Index of the predicted class",
  right: "Readouts that are right, separated by commas: fused, a modality, other run",
  wrong: "Readouts that are wrong, separated by commas",
  other: "Id of a run that is one more readout",
  followed: "true: only samples whose contributions were kept over all epochs",
  sort: "loss, easy, gap or place",
  page: "From 1",
};
const lookParameters: Readonly<Record<string, string>> = { theme: "light or dark", width: "Pixels, 200 to 2400" };

function operation(
  operationId: string,
  summary: string,
  answer: keyof typeof answers | null,
  query: Readonly<Record<string, string>> = {},
  path: readonly string[] = [],
): { get: Operation } {
  const json = (name: string, description: string) => ({
    description,
    content: { "application/json": { schema: { $ref: `#/components/schemas/${name}` } } },
  });
  return {
    get: {
      summary,
      operationId,
      parameters: [
        ...path.map((name): Parameter => ({
          name,
          in: "path",
          required: true,
          description: name === "name" ? "Name of the experiment" : `Id of the ${name === "id" ? "run" : name}`,
          schema: { type: "string" },
        })),
        ...Object.entries(query).map(([name, description]): Parameter => ({
          name,
          in: "query",
          required: false,
          description,
          schema: { type: "string" },
        })),
      ],
      responses: {
        "200": answer === null
          ? {
            description: "A stream of events, without an end",
            content: { "text/event-stream": { itemSchema: { $ref: "#/components/schemas/Event" } } },
          }
          : json(answer, summary),
        default: json("Error", "What must hold and what was found"),
      },
    },
  };
}

/** Every address. */
const paths: OpenApi["paths"] = {
  "/api/grid": operation(
    "grid",
    "Configurations over their seeds, ranked, as the table of results",
    "Grid",
    gridParameters,
  ),
  "/api/charts/{chart}": operation(
    "gridChart",
    "The chart of the table of results: accuracy",
    "Chart",
    { ...gridParameters, ...lookParameters },
    ["chart"],
  ),
  "/api/runs": operation("runs", "Every folder in the runs folder", "Runs"),
  "/api/runs/{id}": operation("run", "One run with all its documents", "Run", {}, ["id"]),
  "/api/runs/{id}/epochs": operation("epochs", "The records of a run's epochs", "Epochs", {}, ["id"]),
  "/api/runs/{id}/charts/{chart}": operation("runChart", "A chart of a run", "Chart", lookParameters, [
    "id",
    "chart",
  ]),
  "/api/configurations/{id}": operation(
    "configuration",
    "A configuration over its seeds",
    "Configuration",
    { experiment: "Name of the experiment whose row it is" },
    ["id"],
  ),
  "/api/configurations/{id}/charts/{chart}": operation(
    "configurationChart",
    "A chart of a configuration, means over its seeds",
    "Chart",
    { experiment: "Name of the experiment whose row it is", ...lookParameters },
    ["id", "chart"],
  ),
  "/api/experiments/{name}": operation(
    "experiment",
    "An experiment beside its rows: as given and tuned, over several data sets",
    "Experiment",
    {},
    ["name"],
  ),
  "/api/experiments/{name}/charts/{chart}": operation(
    "experimentChart",
    "A chart of an experiment",
    "Chart",
    lookParameters,
    ["name", "chart"],
  ),
  "/api/samples": operation("samples", "Samples of a split as a run predicts them", "Samples", sampleParameters),
  "/api/runs/{id}/samples/{split}/{sample}/charts/{chart}": operation(
    "sampleChart",
    "A sample over the epochs, if it was followed",
    "Chart",
    lookParameters,
    ["id", "split", "sample", "chart"],
  ),
  "/api/features/charts/{chart}": operation(
    "featureChart",
    "Features that a run kept, placed in a plane",
    "Chart",
    { of: "fused, or a modality", ...lookParameters },
    ["chart"],
  ),
  "/api/compare": operation("compare", "Configurations and runs side by side", "Comparison", compareParameters),
  "/api/compare/charts/{chart}": operation(
    "compareChart",
    "A chart of a comparison",
    "Chart",
    { ...compareParameters, ...lookParameters },
    ["chart"],
  ),
  "/api/events": operation(
    "events",
    "A stream of server-sent events: one named change whenever the runs folder changes",
    null,
  ),
};

/** The OpenAPI document of the interface. */
export function openApi(): OpenApi {
  const schemas: Record<string, unknown> = Object.fromEntries(
    Object.entries({ ...answers, Change: change }).map(([name, schema]) => {
      const { $schema: _, ...rest } = z.toJSONSchema(schema, { io: "output", unrepresentable: "any" });
      return [name, rest];
    }),
  );
  schemas.Event = event;
  return {
    // 3.2 is the first version that says what a stream holds (itemSchema).
    openapi: "3.2.0",
    info: {
      title: "armlab viewer",
      version: VERSION,
      description: "Results of a runs folder. Read-only; figures are shares (0.8, not 80 %), times are seconds.",
      license: { name: "MIT", identifier: "MIT" },
    },
    servers: [{ url: "/" }],
    // Nothing on this machine alone; the token of a viewer that others can reach.
    security: [{}, { token: [] }],
    paths,
    components: {
      schemas,
      securitySchemes: {
        token: { type: "http", scheme: "bearer", description: "In the address that the viewer printed" },
      },
    },
  };
}
