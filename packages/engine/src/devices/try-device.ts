import { execFile } from "node:child_process";
import { cutText } from "@isthmus/core";
import { encodeGraph, type Graph } from "@isthmus/graph";
import { pathOfInstalled } from "../installed.ts";
import { NATIVE_PACKAGES } from "../onnxruntime/find-runtime.ts";
import { PLATFORM_PACKAGE } from "../onnxruntime/systems.ts";
import { type Accelerator, DEVICES } from "./devices.ts";

/** The outcome of a trial of a device. */
export interface DeviceTrial {
  /** Name of the device. */
  readonly device: Accelerator;
  /** Whether a graph ran on it and gave the right numbers. */
  readonly works: boolean;
  /** The one thing that is missing, if it does not work. */
  readonly missing?: string;
  /** Package or command that brings what is missing. */
  readonly broughtBy?: string;
}

/** This system, as npm names it. */
const SYSTEM = `${process.platform}-${process.arch}`;

/** A graph that doubles a number. */
const DOUBLE: Graph = {
  name: "double",
  opsets: new Map([["", 17]]),
  inputs: [{ name: "x", dtype: "f32", shape: [2] }],
  weights: new Map(),
  constants: new Map(),
  nodes: [{ name: "add", op: "Add", domain: "", inputs: ["x", "x"], outputs: ["y"], attributes: new Map() }],
  outputs: [{ name: "y", dtype: "f32", shape: [2] }],
};

/** Program of the trial, whose words are the path of the library, the provider, and the encoded graph. */
const PROGRAM = `
const [library, provider, model] = process.argv.slice(1);
const { InferenceSession, Tensor } = require(library);
const options = { executionProviders: [{ name: provider }], logSeverityLevel: 3 };
InferenceSession.create(Buffer.from(model, "base64"), options)
  .then((session) => session.run({ x: new Tensor("float32", Float32Array.of(3, 4), [2]) }))
  .then(({ y }) => process.stdout.write(y.data.join()))
  .catch((error) => { process.stderr.write("\\n" + error.message); process.exitCode = 1; });
`;

/** Milliseconds that a driver has to start. */
const LONGEST_MS = 60_000;

/** Words of the Vulkan loader on the file of a driver, or its library, that it cannot read. */
const WRONG_DRIVER =
  /(?:loader_get_json: )?((?:Failed to open|Invalid) JSON file .*|\S+: (?:cannot open shared|file too short|invalid ELF).*)/;

/** Characters of the message of a driver that are shown. */
const SHOWN = 200;

const tried = new Map<Accelerator, Promise<DeviceTrial>>();

/**
 * Tries a device, once for the process: a process of its own computes a small graph there, as some drivers
 * end the process that loads them.
 */
export function tryDevice(device: Accelerator): Promise<DeviceTrial> {
  const trial = tried.get(device) ?? runTrial(device);
  tried.set(device, trial);
  return trial;
}

/** Checks whether onnxruntime has a device on this system at all. */
export function isOfSystem(device: Accelerator): boolean {
  return DEVICES[device].systems.includes(SYSTEM);
}

async function runTrial(device: Accelerator): Promise<DeviceTrial> {
  const { systems } = DEVICES[device];
  if (!isOfSystem(device)) {
    return { device, works: false, missing: `a system on which onnxruntime has it: ${systems.join(" or ")}` };
  }
  const library = libraryFor(device);
  if (library === undefined) return { device, works: false, ...withoutLibrary(device) };
  const { answer, said } = await compute(library, DEVICES[device].provider);
  if (answer === "6,8") return { device, works: true };
  return { device, works: false, ...explainTrial(device, said) };
}

/** Returns the path of the first installed library that has a device; undefined if there is none. */
export function libraryFor(device: Accelerator): string | undefined {
  const isWhole = DEVICES[device].wholeOnly.includes(SYSTEM);
  const names = isWhole ? NATIVE_PACKAGES.filter((name) => name !== PLATFORM_PACKAGE) : NATIVE_PACKAGES;
  return names.map(pathOfInstalled).find((path) => path !== undefined);
}

function withoutLibrary(device: Accelerator): Omit<DeviceTrial, "device" | "works"> {
  const isWhole = DEVICES[device].wholeOnly.includes(SYSTEM);
  return {
    missing: "the native library of onnxruntime that has it",
    broughtBy: `npm install ${isWhole ? "onnxruntime-node" : PLATFORM_PACKAGE}`,
  };
}

function compute(
  library: string,
  provider: string,
): Promise<{ readonly answer: string; readonly said: string }> {
  const model = Buffer.from(encodeGraph(DOUBLE)).toString("base64");
  const words = ["-e", PROGRAM, library, provider, model];
  return new Promise((settle) => {
    execFile(process.execPath, words, { timeout: LONGEST_MS }, (error, stdout, stderr) => {
      settle({ answer: stdout, said: stderr || (error?.message ?? "") });
    });
  });
}

/** Returns the one thing that is missing, by what the driver and onnxruntime said when a trial failed. */
export function explainTrial(device: Accelerator, said: string): Omit<DeviceTrial, "device" | "works"> {
  const { needs, broughtBy } = DEVICES[device];
  if (said.includes("libvulkan.so.1")) {
    return {
      missing: "the Vulkan loader, libvulkan.so.1",
      broughtBy: "on Debian and Ubuntu libvulkan1, on Fedora vulkan-loader, on Arch vulkan-icd-loader",
    };
  }
  const cuda = /\blibcu\w+\.so[.\d]*/.exec(said);
  if (cuda !== null) return { missing: `${needs}: ${cuda[0]} cannot be loaded`, broughtBy };
  if (/providers_shared|providers_cuda\.so.*No such file|Failed to load shared library/.test(said)) {
    return {
      missing: "onnxruntime's libraries for CUDA, which only the install script of onnxruntime-node brings",
      broughtBy: "npm install onnxruntime-node --onnxruntime-node-install=cuda12",
    };
  }
  if (/No supported adapters|INCOMPATIBLE_DRIVER|no drivers/i.test(said)) {
    const wrong = WRONG_DRIVER.exec(said)?.[1];
    const because = wrong === undefined ? "" : ` (the Vulkan loader says: ${cutText(wrong, SHOWN)})`;
    return { missing: `a driver of the graphics card that onnxruntime can use${because}`, broughtBy };
  }
  const reason = cutText(said.trim().split("\n").at(-1) ?? "", SHOWN);
  return { missing: `${needs} (onnxruntime says: ${reason || "the trial ended without a word"})`, broughtBy };
}
