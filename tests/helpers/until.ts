/** Waits for states, never for times: how long one takes to come says how busy the machine is, and nothing else. */

/**
 * Milliseconds after which a state is said never to come. No test is to be near it, on any machine: it is there so that what
 * hangs is told by its name.
 */
export const longestMs = 300_000;

/**
 * Waits until something holds, and says what did not come.
 *
 * @param by Who is to bring it about: where that process ends first, nobody waits for it.
 */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  by?: Pick<Deno.ChildProcess, "status">,
): Promise<void> {
  const started = performance.now();
  let ended: number | null = null;
  by?.status.then(({ code }) => ended = code);
  for (;;) {
    // Looked at once more after the end: what was brought about before it is there.
    const last = ended;
    if (await holds()) return;
    if (last !== null) throw new Error(`Cannot wait for ${what} as its process must go on: it ended with code ${last}`);
    if (performance.now() - started > longestMs) throw new Error(`Waited in vain for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
