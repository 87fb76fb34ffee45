/**
 * The viewer as a function of its store: routes by family, and nothing that listens.
 *
 * @module
 */
import { Hono } from "hono";
import { EventHub, type HubOptions } from "./events.ts";
import { apiRoutes } from "./routes/api.ts";
import type { SampleSource } from "../experiments/previews.ts";
import { viewsOf } from "./routes/context.tsx";
import { downloadRoutes } from "./routes/downloads.ts";
import { answerErrors } from "./routes/errors.tsx";
import { pageRoutes } from "./routes/pages.tsx";
import { scriptRoutes } from "./routes/scripts.ts";
import { guard, type SecurityOptions } from "./security.ts";
import type { RunStore } from "./store.ts";

/** How the viewer is set up. */
export interface AppOptions extends Partial<SecurityOptions>, HubOptions {
  /** Where previews of samples come from. @default nothing can be shown of them */
  readonly samples?: SampleSource;
  /** Milliseconds that a page waits for them before it stands without. @default {1500} */
  readonly previewMs?: number;
  /** Takes what went wrong and is not the asker's business. @default console.error */
  readonly log?: (message: string, error: unknown) => void;
}

/** The viewer. */
export interface ViewerApp {
  /** Answers a request. */
  request(input: string | Request, init?: RequestInit): Promise<Response>;
  /** The handler for a server. */
  fetch(request: Request): Response | Promise<Response>;
  /** Pages that follow now. */
  readonly following: number;
  /** Ends the streams of open pages. */
  close(): void;
}

/** Builds the viewer over a store. Nothing listens, nothing runs before the first request. */
export function createApp(store: RunStore, options: AppOptions = {}): ViewerApp {
  const app = new Hono();
  const hub = new EventHub(store, options);
  const views = viewsOf(store, options.samples ?? null, options.previewMs);
  app.use("*", guard({ token: options.token ?? null, perSecond: options.perSecond }));
  app.route("/", pageRoutes(views));
  app.route("/", downloadRoutes(views));
  app.route("/api", apiRoutes(views, hub));
  app.route("/assets", scriptRoutes());
  answerErrors(app, store, options.log ?? ((message, error) => console.error(message, error)));
  return {
    request: (input, init) => Promise.resolve(app.request(input, init)),
    fetch: (request) => app.fetch(request),
    get following() {
      return hub.size;
    },
    close: () => hub.close(),
  };
}
