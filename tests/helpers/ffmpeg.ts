/** Whether ffmpeg can be run here. */

/** Whether it is on the PATH and works. */
export async function ffmpegIsThere(): Promise<boolean> {
  try {
    return (await new Deno.Command("ffmpeg", { args: ["-version"], stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
