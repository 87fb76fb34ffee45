/** @jsxImportSource hono/jsx */
/**
 * Answers where there is none: by the kind of what was thrown, never by its words.
 *
 * @module
 */
import type { Context, Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import { Refusal, type RefusalParts } from "../../core/refusal.ts";
import { StoreError } from "../../store/files.ts";
import { ErrorPage } from "../pages/parts.tsx";
import { RequestError } from "../security.ts";
import type { RunStore } from "../store.ts";
import { documentOf } from "./context.tsx";

/** What is said of an error. */
interface Told {
  readonly status: number;
  readonly message: string;
  /** The clauses of a refusal. */
  readonly parts?: RefusalParts;
}

/** What the asker is told; `null` for a defect, of which only the terminal hears more. */
function toldOf(error: unknown): Told | null {
  if (error instanceof RequestError) return error;
  if (error instanceof HTTPException) return { status: error.status, message: "Cannot answer this request" };
  // What the disk refuses is not the asker's mistake.
  if (!(error instanceof Refusal) || error instanceof StoreError) return null;
  const { what, must, found, hint } = error;
  return { status: 400, message: error.message, parts: { what, must, found, hint } };
}

/** Answers errors of an app. @param log Takes defects, with their stacks. */
export function answerErrors(app: Hono, store: RunStore, log: (message: string, error: unknown) => void): void {
  const answer = (c: Context, { status, message, parts }: Told) => {
    c.status(status as 400);
    if (c.req.path.startsWith("/api/")) return c.json({ error: { status, message, ...parts } });
    return c.html(documentOf(store, {
      title: status === 404 ? "Not found" : "Error",
      here: null,
      version: null,
      children: <ErrorPage status={status} message={message} />,
    }));
  };
  app.notFound((c) => answer(c, { status: 404, message: "There is no such page." }));
  app.onError((error, c) => {
    const told = toldOf(error);
    if (told !== null) return answer(c, told);
    log(`Cannot answer ${JSON.stringify(c.req.path.slice(0, 200))}:`, error);
    return answer(c, { status: 500, message: "The viewer could not answer this; its terminal says why." });
  });
}
