import { printProfile } from "/work/wt-speed2/benchmarks/profile.ts";
for (const s of Deno.args) await printProfile(s, 1);
