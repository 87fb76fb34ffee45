/** A real Chromium, where there is one. */
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { longestMs } from "./until.ts";

const places = [Deno.env.get("CHROMIUM"), "/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];

/** Path of an installed Chromium; `null`, with a printed reason, where there is none. */
export function chromiumPath(): string | null {
  for (const place of places) {
    if (place === undefined) continue;
    try {
      if (Deno.statSync(place).isFile) return place;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  console.error("No Chromium: tests in a browser are skipped. Install it (apt-get install chromium) or set CHROMIUM.");
  return null;
}

/** Starts it without the network services it likes to call; `null` where there is none. */
export async function launchChromium(): Promise<Browser | null> {
  const executablePath = chromiumPath();
  if (executablePath === null) return null;
  return await chromium.launch({
    executablePath,
    timeout: longestMs,
    // No sandbox, as the tests may run as root in a container; the pages are our own.
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
      "--disable-dev-shm-usage",
    ],
  });
}

/** Opens a page with cookies and a size of its own; whatever it is asked to wait for may take as long as it takes. */
export async function openPage(browser: Browser, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(longestMs);
  return await context.newPage();
}
