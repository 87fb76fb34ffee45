/**
 * What engines say of things that are missing.
 *
 * @module
 */
import type { Missing } from "../core/program.ts";

/** What an error says, on one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().replaceAll(/\s+/g, " ");
}

/** How to get a driver with which WebGPU finds a device, by operating system. */
export function graphicsDriver(): string {
  switch (Deno.build.os) {
    case "linux":
      return "sudo apt-get install mesa-vulkan-drivers (AMD, Intel) or nvidia-driver (NVIDIA), or what your system calls " +
        "the card's Vulkan driver";
    case "windows":
      return "install the graphics card's current driver (Direct3D 12)";
    default:
      return "update the operating system (Metal)";
  }
}

/** What is missing without NVIDIA's driver, if it is; `then` is what else has to be run. */
export function missingNvidiaDriver(then: string): Missing | null {
  const absent = unloadable(["libcuda.so.1"]);
  return absent.length === 0 ? null : {
    what: `no NVIDIA driver (${absent.join()} cannot be loaded)`,
    get: `sudo apt-get install nvidia-driver, or what your system calls it; then ${then}`,
  };
}

/** Graphics drivers look for a window system and print errors where its folder is not named; computing needs none. */
export function calmGraphics(): void {
  const variable = "XDG_RUNTIME_DIR";
  const may = Deno.permissions.querySync({ name: "env", variable }).state === "granted";
  if (Deno.build.os === "linux" && may && Deno.env.get(variable) === undefined) Deno.env.set(variable, "/tmp");
}

/** Those of some shared libraries that the system's loader cannot load. */
export function unloadable(names: readonly string[]): string[] {
  return names.filter((name) => {
    try {
      Deno.dlopen(name, {}).close();
      return false;
    } catch {
      return true; // that it cannot be loaded is what was asked
    }
  });
}
