// Computes networks on a device and on the processor, forward and a step of training, and compares the results.
//
//   npx tsx --conditions=@isthmus/source tools/bench/device-networks/main.ts [--device webgpu] [--graphs FOLDER] [--seconds 300] [--write] [NAME...]
//
// Networks are those of the zoo, one tiny model for each type of config, and the graphs of FOLDER; NAMEs choose some of them. Each
// runs in a process of its own, as drivers can end theirs. Prints one JSON object a network. With --write the results of
// these networks take the place of their older ones in docs/device-networks.json, and the table in docs/devices.md is made anew.
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import type { DeviceName } from "@isthmus/graph";
import { compareNetwork, type NetworkOnDevice } from "./compare-network.ts";
import { type DeviceNetwork, listNetworks } from "./networks.ts";
import { writeResults } from "./networks-page.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    device: { type: "string", default: "webgpu" },
    graphs: { type: "string" },
    seconds: { type: "string", default: "300" },
    write: { type: "boolean", default: false },
    alone: { type: "string" },
  },
});
const networks = listNetworks(values.graphs);
const print = (result: NetworkOnDevice) => console.log(JSON.stringify(result));

if (values.alone === undefined) {
  const chosen = networks.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  for (const network of chosen) {
    const result = runAlone(network);
    print(result);
    if (values.write) writeResults([result], networks);
  }
} else {
  const network = networks.find(({ name }) => name === values.alone);
  if (network === undefined) throw new Error(`Cannot find network "${values.alone}"`);
  print(await compareNetwork(network, values.device as DeviceName, print));
}

/** Compares a network in a process of its own; the last line that it prints is the furthest it came. */
function runAlone({ name, group }: DeviceNetwork): NetworkOnDevice {
  const graphs = values.graphs === undefined ? [] : ["--graphs", values.graphs];
  const words = [...process.execArgv, fileURLToPath(import.meta.url), "--device", values.device, ...graphs];
  const { stdout, error, signal, stderr } = spawnSync(process.execPath, [...words, "--alone", name], {
    encoding: "utf8",
    timeout: 1000 * Number(values.seconds),
  });
  const last = stdout.trim().split("\n").at(-1) ?? "";
  const result: NetworkOnDevice = last.startsWith("{") ? JSON.parse(last) : { network: name, group };
  if (result.step !== undefined || result.failure !== undefined) return result;
  if (error === undefined) console.error(stderr);
  const failure =
    error === undefined
      ? `its process ended by ${signal ?? "itself"}`
      : `it took more than ${values.seconds} s`;
  return { ...result, failure };
}
