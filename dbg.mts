import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { readGraph, probeGraph } from "@isthmus/graph";
import { deriveSpec } from "./packages/symmetry/src/derive-spec.ts";
import { deriveLinearSymmetries } from "./packages/symmetry/src/linear/discover-linear-symmetries.ts";
import { deriveMixing } from "./packages/symmetry/src/mixing/discover-mixing.ts";
const engine = createOnnxRuntimeEngine();
for (const n of process.argv.slice(2)) {
let c = process.cpuUsage(), t = performance.now();
const lap = (w: string) => { const u = process.cpuUsage(c); console.log(n, w, Math.round(performance.now() - t), "ms wall", Math.round((u.user + u.system) / 1000), "cpu"); c = process.cpuUsage(); t = performance.now(); };
const { graph } = await readGraph(`/work/shared/architectures/${n}.onnx`); lap("read");
const probe = await probeGraph({ graph, engine }); lap("probe");
const p = deriveSpec(graph, probe); lap("perm");
const l = deriveLinearSymmetries(graph, probe, p); lap("linear");
deriveMixing(graph, probe, { permutations: p, linear: l }); lap("mixing");
}
process.exit(0)
