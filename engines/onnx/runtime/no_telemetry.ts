/**
 * Keeps ONNX Runtime from reporting usage over the network, which its Linux build does unless told otherwise: imported
 * before the runtime, whose library reads the variable when it is loaded. Set it to another value to decide otherwise.
 *
 * @module
 */
const NAME = "ORT_DISABLE_TELEMETRY";

// Without the permission nothing can be set here, and Deno would ask or throw; the runtime itself needs --allow-ffi.
if (
  Deno.permissions.querySync({ name: "env", variable: NAME }).state === "granted" && Deno.env.get(NAME) === undefined
) {
  Deno.env.set(NAME, "1");
}
