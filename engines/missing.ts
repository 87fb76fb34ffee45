/**
 * What engines say of things that are missing.
 *
 * @module
 */

/** What an error says, on one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.trim().replaceAll(/\s+/g, " ");
}

/** How to get a driver with which WebGPU finds a device, by operating system. */
export function graphicsDriver(): string {
  switch (Deno.build.os) {
    case "linux":
      return "install the graphics card's Vulkan driver (nvidia-driver; mesa-vulkan-drivers for AMD and Intel)";
    case "windows":
      return "install the graphics card's current driver (Direct3D 12)";
    default:
      return "update the operating system (Metal)";
  }
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
