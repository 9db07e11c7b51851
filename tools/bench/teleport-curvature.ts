// Teleports a network to larger and smaller gradients and eigenvalues of the Hessian, and measures all three.
//
//   node tools/run-source.mjs tools/bench/teleport-curvature.ts --network FILE --graph G --data NAME --out FOLDER
//     [--objectives gradient-norm,sharpness] [--steps 20] [--lr .02] [--examples 500] [--seed 0] [--mean M --std S]
//
// Writes the networks to the folder, and prints one JSON object for each: loss, norm of the gradient, largest eigenvalue (by
// Lanczos, apart from the teleport). `teleport-torch.py` measures the same by PyTorch.
import { join } from "node:path";
import { parseArgs } from "node:util";
import { openCheckpoint, saveCheckpoint } from "@isthmus/core";
import { hessian, topEigenpairs } from "@isthmus/curvature";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { type TeleportChoice, teleport } from "@isthmus/teleportation";
import { openBound } from "@isthmus/zoo";
import { exitWith } from "./open-pair.ts";

const { values } = parseArgs({
  options: {
    network: { type: "string" },
    graph: { type: "string" },
    data: { type: "string" },
    out: { type: "string" },
    objectives: { type: "string", default: "gradient-norm,sharpness" },
    steps: { type: "string", default: "20" },
    lr: { type: "string", default: "0.02" },
    examples: { type: "string", default: "500" },
    seed: { type: "string", default: "0" },
    mean: { type: "string" },
    std: { type: "string" },
  },
});
const usage = "teleport-curvature.ts --network FILE --graph G --data NAME --out FOLDER [options]";
const { network: path, graph: graphPath, data: name, out, mean, std } = values;
if (!path || !graphPath || !name || !out) exitWith(usage);
const engine = createOnnxRuntimeEngine();
const scaling = mean && std ? { mean: Number(mean), std: Number(std) } : undefined;
const reading = { engine, graph: graphPath, scaling };
const opened = await openBound([path], [await openCheckpoint(path)], { data: name }, reading);
const { graph, networks } = opened.architecture;
const network = networks[0]?.network ?? exitWith(usage);
const data = opened.examples.get("data") ?? exitWith(usage);
const examples = Number(values.examples);

async function measure(label: string, weights: typeof network, facts: object): Promise<void> {
  const operator = await hessian({ graph, engine }, weights, data, { examples });
  const gradient = new Float64Array(operator.dimension);
  const loss = await operator.gradient(gradient);
  const gradientNorm = Math.sqrt(gradient.reduce((sum, value) => sum + value * value, 0));
  const { largest } = await topEigenpairs(operator, { count: 1, steps: 60, tolerance: 1e-3 });
  await operator.release();
  const file = join(out ?? "", `${label}.safetensors`);
  await saveCheckpoint(weights, file, { overwrite: true });
  console.log(
    JSON.stringify({ label, file, loss, gradientNorm, largestEigenvalue: largest[0]?.value, ...facts }),
  );
}

await measure("given", network, {});
for (const objective of values.objectives.split(",") as ("gradient-norm" | "sharpness")[]) {
  for (const direction of ["raise", "lower"] as const) {
    const options: TeleportChoice = {
      objective,
      direction,
      start: "given",
      steps: Number(values.steps),
      learningRate: Number(values.lr),
      examples,
      seed: Number(values.seed),
    };
    const { weights, result } = await teleport({ graph, engine }, network, { ...options, data });
    const { before, after, outputError, bestStep } = result;
    await measure(`${objective}-${direction}`, weights, { before, after, outputError, bestStep });
  }
}
