/**
 * fast-check with one seed for all properties: what is tried is the same on each run, so that a test that passes today is
 * not one that fails tomorrow without a change. `FC_SEED=N deno test …` tries others, for whoever looks for mistakes.
 */
import fc from "fast-check";

fc.configureGlobal({ seed: Number(Deno.env.get("FC_SEED") ?? 20260101) });

export default fc;
