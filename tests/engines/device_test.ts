/**
 * The contract suite and the values of NaN and infinities on graphics engines, for real, on a software Vulkan driver.
 *
 * The driver is chosen by an environment variable that is read when Vulkan is loaded: hence processes of their own.
 */
import { assert, assertEquals } from "@std/assert";
import { softwareVulkan } from "../helpers/vulkan.ts";

const suites = ["contract_test.ts", "nan_test.ts"].map((name) => new URL(name, import.meta.url).pathname);
const config = new URL("../../deno.json", import.meta.url).pathname;

for (const [engine, user] of [["onnx:webgpu", "onnxruntime"], ["webgpu", "deno"]] as const) {
  const driver = softwareVulkan(user);
  const missing = user === "deno" ? "mesa-vulkan-drivers or chromium" : "chromium (its SwiftShader)";
  if (driver === null) console.log(`skipped: ${engine} on a software Vulkan driver, as ${missing} is not installed`);
  Deno.test({
    name: `engine ${engine} passes the contract suite, NaN and infinities included, on a software Vulkan driver`,
    ignore: driver === null,
    async fn() {
      const folder = await Deno.makeTempDir();
      try {
        const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
          args: ["test", "-A", "--no-check", "--config", config, ...suites],
          env: {
            NO_COLOR: "1",
            ARMLAB_TEST_ENGINES: engine,
            VK_ICD_FILENAMES: driver!,
            XDG_RUNTIME_DIR: folder, // drivers complain without it
          },
          stdout: "piped",
          stderr: "piped",
        }).output();
        const text = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("\n");
        assertEquals(code, 0, text.slice(-4000));
        const passed = Number(/ok \| (\d+) passed \| 0 failed/.exec(text)?.[1]);
        assert(passed >= 13, text.slice(-4000));
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  });
}
