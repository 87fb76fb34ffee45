/**
 * Who may ask, for what, how often; and what browsers may do with the answers.
 *
 * @module
 */
import { timingSafeEqual } from "node:crypto";
import type { Context, MiddlewareHandler } from "hono";
import { getCookie, setCookie } from "hono/cookie";

/** What the app defends. */
export interface SecurityOptions {
  /** Secret that every request must bring; `null` where only this machine can ask. */
  readonly token: string | null;
  /** Requests per second that are answered in the long run. @default {200} */
  readonly perSecond?: number;
}

/** Longest address that is read. */
const maxUrl = 16 * 1024;
/** Requests that may come at once, beyond the long run. */
const burst = 600;
const cookieName = "armlab-token";

/** Names under which a page of this machine is reached; any other name is another site's, pointed here. */
const loopback = /^(127(\.(25[0-5]|2[0-4]\d|1?\d?\d)){3}|localhost|\[::1\])(:\d{1,5})?$/i;
/** A host as browsers send it. */
const wellFormed = /^([a-z0-9._-]+|\[[0-9a-f:.]+\])(:\d{1,5})?$/i;

/** Headers of every answer. */
const headers: Readonly<Record<string, string>> = {
  "Content-Security-Policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; media-src 'self'; connect-src 'self'; " +
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  "X-Content-Type-Options": "nosniff",
  "X-Frame-Options": "DENY",
  "Referrer-Policy": "no-referrer",
  "Cross-Origin-Opener-Policy": "same-origin",
  "Cross-Origin-Resource-Policy": "same-origin",
  "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
};

/** A request that is turned away, with the answer's status. */
export class RequestError extends Error {
  /** HTTP status. */
  readonly status: 400 | 401 | 403 | 404 | 405 | 414 | 429 | 503;

  /** @param message For the person who asked. */
  constructor(status: RequestError["status"], message: string) {
    super(message);
    this.name = "RequestError";
    this.status = status;
  }
}

/** A bucket that fills with so many drops a second; a request takes one. */
export class RateLimit {
  readonly #perSecond: number;
  #drops: number = burst;
  #at: number = performance.now();

  /** @param perSecond Requests a second in the long run. */
  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  /** Takes a drop; `false` if there is none. */
  take(now: number = performance.now()): boolean {
    this.#drops = Math.min(burst, this.#drops + Math.max(0, now - this.#at) / 1000 * this.#perSecond);
    this.#at = now;
    if (this.#drops < 1) return false;
    this.#drops -= 1;
    return true;
  }
}

function sameSecret(given: string, wanted: string): boolean {
  const [a, b] = [given, wanted].map((text) => new TextEncoder().encode(text));
  return a.length === b.length && timingSafeEqual(a, b);
}

/** Checks where a request comes from. @throws {RequestError} If it is not from here. */
function checkOrigin(c: Context, token: string | null): void {
  const url = URL.parse(c.req.url);
  const host = c.req.header("host") ?? url?.host ?? "";
  // The address of a request is made from its Host header: 127.999.999.999 gives none.
  if (url === null || URL.parse(`http://${host}/`) === null) {
    throw new RequestError(400, "Cannot answer as the Host header must be a host's name: it is none");
  }
  // Another site's name that was made to point at this machine (DNS rebinding) shows in the Host header.
  if (!(token === null ? loopback : wellFormed).test(host)) {
    throw new RequestError(403, "Cannot answer as the Host header must name this machine");
  }
  const origin = c.req.header("origin");
  if (origin !== undefined && origin.replace(/^https?:\/\//, "") !== host) {
    throw new RequestError(403, "Cannot answer as requests must come from the viewer's own pages");
  }
  // Links from elsewhere are fine, they show a page; parts of other sites' pages are not.
  const site = c.req.header("sec-fetch-site");
  if ((site === "cross-site" || site === "same-site") && c.req.header("sec-fetch-mode") !== "navigate") {
    throw new RequestError(403, "Cannot answer as requests must come from the viewer's own pages");
  }
}

/** Checks the token, given once in the address, later as a cookie, or by programs in the Authorization header. */
function checkToken(c: Context, token: string): Response | null {
  const url = new URL(c.req.url);
  const given = url.searchParams.get("token");
  if (given !== null && sameSecret(given, token)) {
    setCookie(c, cookieName, token, {
      httpOnly: true,
      sameSite: "Strict",
      path: "/",
      secure: url.protocol === "https:",
    });
    url.searchParams.delete("token");
    // Out of the address, so that it is neither shared with the link nor kept in the history.
    // Two slashes would begin another host's address.
    return c.redirect(`${url.pathname.replace(/^\/{2,}/, "/")}${url.search}`, 303);
  }
  const bearer = /^Bearer (\S+)$/.exec(c.req.header("authorization") ?? "")?.[1];
  const kept = getCookie(c, cookieName);
  if ([bearer, kept].some((secret) => secret !== undefined && sameSecret(secret, token))) return null;
  throw new RequestError(401, "Cannot answer as the token must be given: open the address that the viewer printed");
}

/** The guard before every route. */
export function guard(options: SecurityOptions): MiddlewareHandler {
  const limit = new RateLimit(options.perSecond ?? 200);
  return async (c, next) => {
    for (const [name, value] of Object.entries(headers)) c.header(name, value);
    c.header("Cache-Control", "no-store");
    if (c.req.url.length > maxUrl) throw new RequestError(414, "Cannot answer as the address is too long");
    if (!limit.take()) {
      c.header("Retry-After", "1");
      throw new RequestError(429, "Cannot answer so many requests: wait a second");
    }
    if (c.req.method !== "GET" && c.req.method !== "HEAD") {
      c.header("Allow", "GET, HEAD");
      throw new RequestError(405, "Cannot change anything here: the viewer only reads");
    }
    checkOrigin(c, options.token);
    if (options.token !== null) {
      const answer = checkToken(c, options.token);
      if (answer !== null) return answer;
    }
    return await next();
  };
}
