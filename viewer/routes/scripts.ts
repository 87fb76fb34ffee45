/**
 * Scripts, styles and the icon of pages.
 *
 * @module
 */
import { Hono } from "hono";
import { assets, build } from "../assets.ts";
import { missing } from "./context.tsx";

/** What pages load. */
export function scriptRoutes(): Hono {
  const app = new Hono();
  app.get("/:name", async (c) => {
    const asset = await assets(c.req.param("name"));
    if (asset === null) throw missing("a file", c.req.param("name"));
    c.header("Content-Type", asset.type);
    // The address changes with the content.
    c.header(
      "Cache-Control",
      new URL(c.req.url).search === `?${build}` ? "private, max-age=31536000, immutable" : "no-cache",
    );
    return c.body(asset.text);
  });
  return app;
}
