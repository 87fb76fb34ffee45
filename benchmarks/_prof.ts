import { printProfile } from "/work/wt-speed/benchmarks/profile.ts";
for (const s of Deno.args) await printProfile(s, 1);
