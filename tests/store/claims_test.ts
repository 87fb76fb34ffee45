import { join } from "node:path";
import { assert, assertEquals, assertMatch, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import {
  checkClaim,
  type ClaimMark,
  claimRun,
  heldRuns,
  type Holder,
  isClaim,
  joinRuns,
  memberNames,
  releaseClaim,
  StoreError,
  Watch,
} from "../../store/mod.ts";
import { inFolder } from "../helpers/cli.ts";
import { until } from "../helpers/until.ts";

const run = "0123456789abcdef";

function claimed(found: ClaimMark | Holder): ClaimMark {
  assert(isClaim(found), JSON.stringify(found));
  return found;
}

function held(found: ClaimMark | Holder): Holder {
  assert(!isClaim(found), JSON.stringify(found));
  return found;
}

Deno.test("claimRun() gives a run to one process and names it to others; given back, it is the next one's", () =>
  inFolder(async (runs) => {
    await using one = await joinRuns(runs);
    await using two = await joinRuns(runs);
    const watch = new Watch(runs);
    const first = claimed(await claimRun(one, run, watch));
    assertEquals(held(await claimRun(two, run, watch)).info?.pid, Deno.pid);
    assertEquals([...(await heldRuns(runs, watch)).keys()], [run]);
    await releaseClaim(first, false);
    assertEquals((await heldRuns(runs, watch)).size, 0);
    const second = claimed(await claimRun(two, run, watch));
    assertEquals(second.generation, first.generation + 1);
    checkClaim(second);
    await releaseClaim(second, true);
    assertEquals([...Deno.readDirSync(join(runs, ".claims"))], []);
  }));

Deno.test("of many that claim a run at the same moment, one gets it", () =>
  inFolder(async (runs) => {
    const members = await Promise.all(Array.from({ length: 6 }, () => joinRuns(runs)));
    for (let round = 0; round < 20; round++) {
      const found = await Promise.all(members.map((member) => claimRun(member, run, new Watch(runs))));
      const winners = found.filter(isClaim);
      assertEquals(winners.length, 1);
      checkClaim(winners[0]);
      await releaseClaim(winners[0], round % 2 === 0);
    }
    for (const member of members) await member.leave();
    assertEquals(memberNames(runs), []);
  }));

Deno.test("who claims a run while somebody else claims it by another number steps back, and finds the other one", () =>
  inFolder(async (runs) => {
    await using one = await joinRuns(runs);
    await using two = await joinRuns(runs);
    const path = (generation: number) => join(runs, ".claims", `${run}.${generation}`);
    Deno.mkdirSync(join(runs, ".claims"));
    Deno.writeTextFileSync(path(1), JSON.stringify({ member: "gone", kernel: null }));
    // The other one claims between this one's looking who there is and its own claim.
    const watch = new Watch(runs);
    const lives = watch.lives.bind(watch);
    watch.lives = (id, kernel) => {
      if (id !== "gone") return lives(id, kernel);
      Deno.writeTextFileSync(path(3), JSON.stringify({ member: two.info.id, kernel: two.info.kernel }));
      return Promise.resolve(false);
    };
    assertEquals(held(await claimRun(one, run, watch)).member, two.info.id);
    assertEquals([...Deno.readDirSync(join(runs, ".claims"))].map(({ name }) => name).sort(), [`${run}.1`, `${run}.3`]);
  }));

Deno.test("checkClaim() refuses a claim that names another member, and one that is gone", () =>
  inFolder(async (runs) => {
    await using member = await joinRuns(runs);
    const claim = claimed(await claimRun(member, run, new Watch(runs)));
    const path = join(runs, ".claims", `${run}.1`);
    const own = Deno.readTextFileSync(path);
    Deno.writeTextFileSync(path, JSON.stringify({ member: "another", kernel: null }));
    assertThrows(() => checkClaim(claim), StoreError, "it is not");
    Deno.writeTextFileSync(path, own);
    checkClaim(claim);
    Deno.removeSync(path);
    assertThrows(() => checkClaim(claim), StoreError, "it is not");
  }));

Deno.test("a member's file has one length at every beat, and one of this machine that has none lives no more", () =>
  inFolder(async (runs) => {
    await using member = await joinRuns(runs);
    const text = Deno.readTextFileSync(join(runs, ".members", member.info.id));
    assertMatch(JSON.parse(text).beat, /^\d{12}$/);
    const watch = new Watch(runs, "mine");
    assertEquals(await watch.lives("nobody", "mine"), false);
    assertEquals(await watch.lives("nobody", "another"), true); // seen for the first time, elsewhere
  }));

Deno.test("a process that was killed on this machine holds nothing any more, at once", () =>
  inFolder(async (runs) => {
    const store = JSON.stringify(new URL("../../store/mod.ts", import.meta.url).href);
    const code = `import { claimRun, joinRuns, Watch } from ${store};
      const member = await joinRuns(${JSON.stringify(runs)});
      await claimRun(member, "${run}", new Watch(${JSON.stringify(runs)}));
      console.log("held");
      await new Promise((resolve) => setTimeout(resolve, 600_000));`;
    const child = new Deno.Command(Deno.execPath(), {
      args: ["eval", "--no-check", "--config", new URL("../../deno.json", import.meta.url).pathname, code],
      stdout: "piped",
    }).spawn();
    const reader = child.stdout.getReader();
    await reader.read();
    await using member = await joinRuns(runs);
    const watch = new Watch(runs);
    assertEquals(held(await claimRun(member, run, watch)).info?.pid, child.pid);
    child.kill("SIGKILL");
    await child.status;
    await reader.cancel();
    const claim = claimed(await claimRun(member, run, watch));
    assertEquals(claim.generation, 2);
    await watch.tidy();
    assertEquals(memberNames(runs), [member.info.id]);
  }));

/** The file of a member on another machine whose locks cannot be seen from here, as its heart writes it. */
function elsewhere(runs: string, beat: number, more: Record<string, unknown> = {}): string {
  const id = "11111111-2222-3333-4444-555555555555";
  const info = { id, host: "node7", kernel: "another", pid: 7, since: "2031-01-01T00:00:00.000Z", locked: false };
  Deno.writeTextFileSync(join(runs, ".members", id), JSON.stringify({ ...info, patienceMs: 1000, beat, ...more }));
  return id;
}

Deno.test("on another machine a member lives as long as it is seen to change by the reader's own clock", () =>
  inFolder(async (runs) => {
    await using member = await joinRuns(runs);
    const clock = { now: 0 };
    const watch = new Watch(runs, "mine", () => clock.now);
    // Its clock is years ahead: no time that it writes is looked at.
    const id = elsewhere(runs, 1);
    Deno.mkdirSync(join(runs, ".claims"));
    Deno.writeTextFileSync(join(runs, ".claims", `${run}.4`), JSON.stringify({ member: id, kernel: "another" }));
    for (let beat = 2; beat < 50; beat++) {
      clock.now += 900;
      elsewhere(runs, beat);
      assertEquals(held(await claimRun(member, run, watch)).info?.host, "node7");
    }
    clock.now += 1000;
    held(await claimRun(member, run, watch));
    clock.now += 1;
    // One who looks for the first time cannot know yet.
    held(await claimRun(member, run, new Watch(runs, "mine", () => clock.now)));
    assertEquals(claimed(await claimRun(member, run, watch)).generation, 5);
  }));

Deno.test("a file that is gone is another machine's death only after a while: folders are seen late over networks", () =>
  inFolder(async (runs) => {
    await using member = await joinRuns(runs);
    const clock = { now: 0 };
    const watch = new Watch(runs, "mine", () => clock.now);
    Deno.mkdirSync(join(runs, ".claims"));
    Deno.writeTextFileSync(join(runs, ".claims", `${run}.1`), JSON.stringify({ member: "unseen", kernel: "another" }));
    held(await claimRun(member, run, watch));
    clock.now += 119_000;
    held(await claimRun(member, run, watch));
    clock.now += 2000;
    claimed(await claimRun(member, run, watch));
  }));

Deno.test("a holder that was taken for dead stops before it writes again", () =>
  inFolder(async (runs) => {
    await using sleeper = await joinRuns(runs);
    await using other = await joinRuns(runs);
    const claim = claimed(await claimRun(sleeper, run, new Watch(runs)));
    checkClaim(claim);
    // What another machine does that saw no beat.
    Deno.writeTextFileSync(join(runs, ".claims", `${run}.2`), JSON.stringify({ member: other.info.id, kernel: null }));
    const error = assertThrows(() => checkClaim(claim), StoreError);
    assertEquals(error.code, "locked");
    assertStringIncludes(error.message, "another one took it over");
    // It takes nothing away from the other one.
    await releaseClaim(claim, false);
    assertEquals((await heldRuns(runs, new Watch(runs))).get(run)?.member, other.info.id);
  }));

Deno.test("a heart beats, and says once if it cannot", () =>
  inFolder(async (folder) => {
    const runs = join(folder, "runs");
    await using member = await joinRuns(runs, { beatMs: 5 });
    const read = () => Deno.readTextFileSync(join(runs, ".members", member.info.id));
    const before = read();
    await until("a beat", () => read() !== before);
    assertEquals(read().length, before.length);
    await Deno.remove(runs, { recursive: true });
    assertThrows(() => member.check(), StoreError, "somebody removed the runs folder");
    await assertRejects(() => claimRun(member, run, new Watch(runs)), StoreError, "somebody removed the runs folder");
  }));
