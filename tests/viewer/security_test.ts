import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { createApp, openRunStore, type ViewerApp } from "../../viewer/mod.ts";
import { RateLimit } from "../../viewer/security.ts";
import { inFolder } from "../helpers/cli.ts";
import { writeRun } from "../helpers/runs.ts";

const secret = "a secret outside the runs folder";

async function withApp(
  run: (app: ViewerApp, id: string, runs: string) => Promise<void>,
  options: { token?: string; perSecond?: number } = {},
): Promise<void> {
  await inFolder(async (folder) => {
    const runs = `${folder}/runs`;
    Deno.mkdirSync(runs);
    Deno.writeTextFileSync(`${folder}/secret.txt`, secret);
    const id = writeRun(runs, {});
    const store = openRunStore(runs);
    const problems: unknown[] = [];
    const app = createApp(store, { ...options, log: (...problem) => problems.push(problem) });
    try {
      await run(app, id, runs);
      assertEquals(problems, []);
    } finally {
      app.close();
      store.close();
    }
  });
}

const origin = "http://127.0.0.1:8420";

function ask(app: ViewerApp, path: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> {
  return app.request(new Request(`${origin}${path}`, { headers: { host: "127.0.0.1:8420", ...headers }, method }));
}

Deno.test("only requests to and from this machine's own pages are answered", () =>
  withApp(async (app, id) => {
    for (const host of ["127.0.0.1:8420", "localhost:1", "[::1]:8420", "LOCALHOST", "127.8.8.8"]) {
      assertEquals((await ask(app, "/", { host })).status, 200, host);
    }
    // DNS rebinding: another site's name that leads here.
    for (
      const host of [
        "evil.example",
        "evil.example:8420",
        "127.0.0.1.evil.example",
        "localhost.evil.example",
        "10.0.0.5",
        "0.0.0.0",
        "127.0.0.1@evil.example",
        "evil.localhost",
        "notlocalhost:8420",
      ]
    ) {
      for (const path of ["/", "/api/runs", `/runs/${id}/files/config.json`, "/assets/app.js", "/nope"]) {
        const response = await ask(app, path, { host });
        assertEquals(response.status, 403, `${host} ${path}`);
        assert(!(await response.text()).includes(id));
      }
    }
    // What is no host at all.
    for (const host of ["127.999.999.999", "127.0.0.1:99999", "127.0.0.256", "[::1", "a b"]) {
      assertEquals((await ask(app, "/", { host })).status, 400, host);
    }
    assertEquals((await ask(app, "/api/runs", { origin })).status, 200);
    // Another site's origin that holds the name of this one.
    for (
      const other of [`${origin}.evil.example`, `http://evil.example/${origin}`, `http://evil-127.0.0.1:8420`, "null"]
    ) {
      assertEquals((await ask(app, "/api/runs", { origin: other })).status, 403, other);
    }
    for (const site of ["cross-site", "same-site"]) {
      assertEquals(
        (await ask(app, "/api/runs", { "sec-fetch-site": site, "sec-fetch-mode": "cors" })).status,
        403,
        site,
      );
      assertEquals((await ask(app, "/", { "sec-fetch-site": site, "sec-fetch-mode": "navigate" })).status, 200, site);
    }
    for (const from of ["https://evil.example", "null", "http://127.0.0.1:9999", "http://localhost:8420"]) {
      assertEquals((await ask(app, "/api/runs", { origin: from })).status, 403, from);
    }
    const site = (mode: string) => ({ "sec-fetch-site": "cross-site", "sec-fetch-mode": mode });
    assertEquals((await ask(app, "/api/runs", site("no-cors"))).status, 403);
    assertEquals((await ask(app, "/assets/app.js", site("no-cors"))).status, 403);
    assertEquals((await ask(app, "/", site("navigate"))).status, 200);
  }));

Deno.test("the viewer only reads, and every answer forbids browsers what it does not need", () =>
  withApp(async (app, id) => {
    for (const method of ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "PROPFIND"]) {
      const response = await ask(app, `/runs/${id}`, {}, method);
      assertEquals([response.status, response.headers.get("allow")], [405, "GET, HEAD"]);
      await response.body?.cancel();
    }
    assertEquals((await ask(app, "/", {}, "HEAD")).status, 200);
    for (
      const path of [
        "/",
        `/runs/${id}`,
        "/compare",
        "/api",
        "/api/runs",
        "/nope",
        "/?group=x",
        "/assets/app.js",
        "/grid.csv",
      ]
    ) {
      const { headers, body } = await ask(app, path);
      await body?.cancel();
      const policy = headers.get("content-security-policy") ?? "";
      assertStringIncludes(policy, "default-src 'none'", path);
      assert(!/unsafe|\*|https?:/.test(policy), policy);
      assertEquals(headers.get("x-content-type-options"), "nosniff");
      assertEquals(headers.get("x-frame-options"), "DENY");
      assertEquals(headers.get("access-control-allow-origin"), null);
    }
    for (const path of ["/", `/runs/${id}`, `/compare?r=${id}`, "/api"]) {
      const page = await (await ask(app, path)).text();
      assert(
        !/<script(?![^>]* src=)|\son\w+=|style=|javascript:|https?:\/\//i.test(
          page.replaceAll("http://www.w3.org", ""),
        ),
        path,
      );
    }
  }));

Deno.test("no request leads out of the runs folder", () =>
  withApp(async (app, id, runs) => {
    Deno.symlinkSync(`${runs}/../secret.txt`, `${runs}/${id}/log.txt`);
    const linked = "feedfacefeedface";
    Deno.symlinkSync("..", `${runs}/${linked}`);
    Deno.mkdirSync(`${runs}/folder`);
    const paths = [
      "/runs/../secret.txt",
      "/runs/%2e%2e/secret.txt",
      "/runs/..%2fsecret.txt",
      "/runs/%2e%2e%2fsecret.txt/files/config.json",
      "/runs/%252e%252e%252fsecret.txt",
      `/runs/${id}/files/../../../secret.txt`,
      `/runs/${id}/files/..%2f..%2f..%2fsecret.txt`,
      `/runs/${id}/files/%2e%2e%5c%2e%2e%5csecret.txt`,
      `/runs/${id}/files/config.json%00.txt`,
      `/runs/${id}%00/files/config.json`,
      `/runs/${id}/files/%2fetc%2fpasswd`,
      `/runs/%2fetc/files/passwd`,
      `/runs/${id}/files/log.txt`,
      `/runs/${linked}/files/secret.txt`,
      `/runs/${linked}/files/config.json`,
      "/runs/folder/files/config.json",
      "/runs/./files/secret.txt",
      "/runs//files/config.json",
      "/assets/..%2fstyle.css",
      "/assets/%2e%2e%2f%2e%2e%2fdeno.json",
      "/assets/__proto__",
      "/assets/constructor",
      `/runs/${id}/files/constructor`,
      `/runs/${id}/files/index.sqlite`,
      "/api/runs/__proto__",
      `/runs/${id}/tables/constructor.csv`,
      "/compare/tables/__proto__.csv",
      `/runs/${id}/charts/..%2f..%2fx.svg`,
      "/runs/%ff%fe",
      "/%c0%ae%c0%ae/secret.txt",
      "//evil.example/",
      "/\\evil.example",
    ];
    for (const path of paths) {
      const response = await ask(app, path);
      const text = await response.text();
      assert(
        response.status === 404 || response.status === 400 || response.status === 200 && path === "//evil.example/",
        `${path}: ${response.status}`,
      );
      assert(!text.includes(secret) && !text.includes("root:"), path);
      assert(!/\bat .*\.tsx?:\d+|node_modules|deno:/.test(text), `${path} shows a stack`);
    }
    // A link in place of the log is not followed on the page either.
    const page = await (await ask(app, `/runs/${id}`)).text();
    assert(!page.includes(secret));
    assertStringIncludes(page, "This run wrote no log.");
  }));

Deno.test("wrong values in an address are told, without a stack", () =>
  withApp(async (app, id) => {
    const wrong = [
      "/?group=colour",
      "/?page=0",
      "/?page=x",
      `/?q=${"x".repeat(600)}`,
      `/?fusion=${Array.from({ length: 300 }, (_, i) => `f${i}`).join(",")}`,
      "/compare?smooth=1",
      "/compare?x=time",
      `/api/runs/${id}/charts/loss?width=1e9`,
      `/api/runs/${id}/charts/loss?theme=blue`,
    ];
    for (const path of wrong) {
      const response = await ask(app, path);
      const text = await response.text();
      assertEquals(response.status, 400, path);
      assertStringIncludes(text, "Cannot ");
      assert(!/\bat .*\.tsx?:\d+/.test(text), path);
    }
    assertEquals((await ask(app, `/?q=${"x".repeat(20_000)}`)).status, 414);
    // What is unknown but harmless is told beside what there is.
    for (
      const path of [
        "/?sort=nothing",
        "/?columns=a,b&open=x&fusion=zzz",
        "/?nonsense=1",
        "/?q=%3E%3D%3C!",
        "/compare?c=nope&r=nope",
        `/compare?c=${Array.from({ length: 14 }, (_, i) => `c${i}`).join(",")}`,
      ]
    ) {
      assertEquals((await ask(app, path)).status, 200, path);
    }
  }));

Deno.test("a token lets in, once in the address, then as a cookie; programs send it", () =>
  withApp(async (app) => {
    const host = { host: "gpu.lab.example:8420" };
    const refused = await ask(app, "/api/runs", host);
    assertEquals([refused.status, (await refused.text()).includes("0123456789")], [401, false]);
    for (const wrong of ["0123456789abcdeX", "0123456789abcdef0", "0123456789abcde", "", "0123456789ABCDEF"]) {
      assertEquals((await ask(app, `/?token=${wrong}`, host)).status, 401, wrong);
      assertEquals((await ask(app, "/", { ...host, authorization: `Bearer ${wrong}` })).status, 401, wrong);
      assertEquals((await ask(app, "/", { ...host, cookie: `armlab-token=${wrong}` })).status, 401, wrong);
    }
    assertEquals((await ask(app, "/", { ...host, cookie: "armlab-token=wrong" })).status, 401);
    const entered = await ask(app, "/?token=0123456789abcdef&group=fusion", host);
    assertEquals([entered.status, entered.headers.get("location")], [303, "/?group=fusion"]);
    // An address that begins with two slashes is another host's.
    for (const path of ["//evil.example/", "///evil.example/x", "/\\evil.example/"]) {
      const sent = await ask(app, `${path}?token=0123456789abcdef`, host);
      assertEquals([sent.status, /^\/(?![/\\])/.test(sent.headers.get("location")!)], [303, true], path);
    }
    const cookie = entered.headers.get("set-cookie") ?? "";
    for (const part of ["HttpOnly", "SameSite=Strict", "Path=/"]) assertStringIncludes(cookie, part);
    assertEquals((await ask(app, "/", { ...host, cookie: cookie.split(";")[0] })).status, 200);
    assertEquals((await ask(app, "/api/runs", { ...host, authorization: "Bearer 0123456789abcdef" })).status, 200);
    assertEquals((await ask(app, "/assets/app.js", host)).status, 401);
    assertEquals((await ask(app, "/", { host: "bad host/", cookie: cookie.split(";")[0] })).status, 400);
  }, { token: "0123456789abcdef" }));

Deno.test("too many requests are put off, and a second later answered again", () => {
  const limit = new RateLimit(10);
  let now = Math.ceil(performance.now()); // whole milliseconds, so that a second is exactly one
  let answered = 0;
  for (let i = 0; i < 2000; i++) if (limit.take(now)) answered++;
  assert(answered >= 600 && answered < 620, String(answered));
  now += 1000;
  assertEquals(Array.from({ length: 12 }, () => limit.take(now)).filter(Boolean).length, 10);
});

Deno.test("who asks for heads alone opens no stream and keeps no file open, as the sanitizers would tell", () =>
  withApp(async (app, id) => {
    for (let i = 0; i < 70; i++) {
      for (const path of ["/api/events", `/runs/${id}/files/config.json`]) {
        const response = await ask(app, path, {}, "HEAD");
        assertEquals([response.status, await response.text()], [200, ""]);
      }
    }
    const stream = await ask(app, "/api/events");
    assertEquals(stream.status, 200);
    await stream.body!.cancel();
  }));

Deno.test("pages listen by a bounded number of streams, and leave nothing behind", () =>
  withApp(async (app) => {
    const streams: Response[] = [];
    for (let i = 0; i < 64; i++) streams.push(await ask(app, "/api/events"));
    assertEquals(streams.every(({ status }) => status === 200), true);
    assertEquals((await ask(app, "/api/events")).status, 503);
    const reader = streams[0].body!.getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    assertEquals(first, 'retry: 3000\nevent: change\ndata: {"version":1}\n\n');
    assertEquals(app.following, 64);
    await reader.cancel();
    for (const stream of streams.slice(1)) await stream.body!.cancel();
    assertEquals(app.following, 0);
    // The sanitizers of the test would report a timer that still ran.
    const again = await ask(app, "/api/events");
    assertEquals(again.status, 200);
    await again.body!.cancel();
  }));
