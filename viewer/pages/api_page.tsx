/** @jsxImportSource hono/jsx */
/**
 * The page that lists the interface for programs.
 *
 * @module
 */
import type { FC } from "hono/jsx";
import type { OpenApi } from "../openapi.ts";

const commands = `deno task export-results --format csv
deno task export-results --view "/?fusion=concat&sort=name" --format tex`;

/** The page. */
export const ApiPage: FC<{ document: OpenApi }> = ({ document }) => (
  <>
    <div class="title">
      <h1>API</h1>
      <p class="summary">
        Everything on these pages, as JSON. The whole is described by{" "}
        <a href="/api/openapi.json">an OpenAPI document</a>.
      </p>
    </div>
    <div class="scroll" tabindex={0} role="region" aria-label="Addresses of the API">
      <table class="data">
        <thead>
          <tr>
            <th scope="col" class="left">Address</th>
            <th scope="col" class="left">Answer</th>
          </tr>
        </thead>
        <tbody>
          {Object.entries(document.paths).map(([path, { get }]) => (
            <tr>
              <th scope="row" class="left">
                {path.includes("{") || path === "/api/events" ? <code>{path}</code> : (
                  <a href={path}>
                    <code>{path}</code>
                  </a>
                )}
              </th>
              <td class="wrap">{get.summary}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
    <h2>From a terminal</h2>
    <p>The same figures without a browser:</p>
    <pre><code>{commands}</code></pre>
  </>
);
