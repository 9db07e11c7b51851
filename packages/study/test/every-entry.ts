// biome-ignore-all lint/suspicious/noTemplateCurlyInString: variables of the study
import type { Repeated } from "@isthmus/forms";
import type {
  MeasurementDescription,
  RepeatedNetwork,
  StudyDescription,
} from "../src/description/study-description.ts";
import { FULL_MEASUREMENTS } from "./full-measurements.ts";
import { FULL_NETWORKS } from "./full-networks.ts";
import { LOADED, OTHER, TEST, TRAIN } from "./full-values.ts";

/** A study with an entry of every kind. */
export interface EveryEntry extends StudyDescription {
  readonly networks: Readonly<Record<string, RepeatedNetwork>>;
  readonly measurements: Readonly<Record<string, Repeated<MeasurementDescription>>>;
}

/** Networks and measurements of every kind, each with what it must have and nothing else. */
export const REQUIRED_ENTRIES: EveryEntry = {
  title: "Required",
  networks: {
    trained: { for: { seed: "0..2" }, net: "mlp:4", data: TRAIN, seed: "${seed}", epochs: 1 },
    loaded: LOADED,
    star: { star: "trained", data: TRAIN, seed: 9, epochs: 1 },
    tuned: { tune: "trained", data: TRAIN, seed: 5, epochs: 1 },
    connected: { tune: "trained", method: "cbft", data: TRAIN, cue: OTHER, seed: 5 },
    pruned: { prune: "trained", sparsity: 0.5 },
    gradient: { tickets: "gradient", net: "mlp:4", data: TRAIN, seed: 0, epochs: 1, sparsity: 0.5 },
    evolution: { tickets: "evolution", net: "mlp:4", data: TRAIN, seed: 0, sparsity: 0.5 },
    quantized: { quantize: "trained" },
    moved: { teleport: "trained" },
    collected: {
      for: { method: ["swa", "fge", "posterior", "spro"] },
      collect: "trained",
      where: { seed: 0 },
      method: "${method}",
      data: TRAIN,
      seed: 3,
    },
    // A quarter of an epoch, its cycle, must be a step or more.
    lgv: { collect: "trained", method: "lgv", data: TRAIN, seed: 3, batch: 2 },
    scattered: { scatter: "collected", where: { method: "swa" }, seed: 4, data: TRAIN },
  },
  measurements: {
    barrier: { kind: "barrier", between: "trained", data: TEST },
    layers: { kind: "layers", between: "trained", data: TEST },
    merge: {
      for: { many: ["single", "ensemble", "naive", "best", "cycle", "merge-many", "tree", "reference"] },
      kind: "merge",
      of: "trained",
      many: "${many}",
      data: TEST,
    },
    curvature: { kind: "curvature", of: "trained", data: TEST },
    ensemble: { kind: "ensemble", of: "trained", data: TEST },
    attack: { kind: "attack", of: "trained", sources: { others: { of: "tuned" } }, data: TEST },
    pareto: { kind: "pareto", net: "mlp:4", data: TRAIN, testData: TEST, seed: 1, epochs: 1 },
    landscape: { kind: "landscape", of: "trained", directions: "random", data: TEST },
    "landscape-of-loaded": { kind: "landscape", of: "loaded", directions: "random", data: "digits:test" },
    "dropout-stability": { kind: "dropout-stability", of: "trained", data: TEST },
    "dropout-path": { kind: "dropout-path", between: "trained", data: TEST },
    "intrinsic-dimension": { kind: "intrinsic-dimension", net: "mlp:4", trainOn: TRAIN, data: TEST },
    "walked-path": { kind: "walked-path", between: "trained", trainOn: TRAIN, data: TEST },
    similarity: { kind: "similarity", between: "trained", data: TEST },
    mechanisms: { kind: "mechanisms", between: "trained", sets: { plain: TEST, cued: OTHER } },
    curve: { kind: "curve", between: "trained", trainOn: TRAIN, epochs: 1, data: TEST },
    map: { kind: "map", of: "trained", data: TEST },
    plane: { kind: "plane", of: "trained", data: TEST },
  },
  tables: {},
};

/** Networks and measurements of every kind, each with every option at a value that is not its default. */
export const FULL_ENTRIES: EveryEntry = {
  title: "Full",
  seed: 7,
  networks: FULL_NETWORKS,
  measurements: FULL_MEASUREMENTS,
  tables: {},
};
