/** Software Vulkan drivers, for tests of graphics engines on machines without a card. */

/** SwiftShader comes with Chromium and its kin; ONNX Runtime's WebGPU accepts it. */
const swiftShader = [
  "/usr/lib/chromium/vk_swiftshader_icd.json",
  "/usr/lib/chromium-browser/vk_swiftshader_icd.json",
  "/opt/google/chrome/vk_swiftshader_icd.json",
];
/** Mesa's lavapipe, of mesa-vulkan-drivers; quicker, but ONNX Runtime's WebGPU wants more than older ones can. */
const lavapipe = [
  `/usr/share/vulkan/icd.d/lvp_icd.${Deno.build.arch}.json`,
  "/usr/share/vulkan/icd.d/lvp_icd.json",
];

/** The description of a driver that is installed, for `VK_ICD_FILENAMES`; `null` if there is none. */
export function softwareVulkan(user: "onnxruntime" | "deno"): string | null {
  const candidates = user === "deno" ? [...lavapipe, ...swiftShader] : swiftShader;
  return candidates.find((path) => {
    try {
      return Deno.statSync(path).isFile;
    } catch {
      return false;
    }
  }) ?? null;
}
