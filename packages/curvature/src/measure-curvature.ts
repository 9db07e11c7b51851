import { assertFiniteTensors, type Checkpoint, defaultsOf, resolveFields, UsageError } from "@isthmus/core";
import {
  type Architecture,
  type DataSet,
  fingerprintData,
  fingerprintGraph,
  fingerprintWeights,
  lossFields,
  readGraph,
  scoreBy,
} from "@isthmus/graph";
import { discoverLinearSymmetries, discoverSymmetries } from "@isthmus/symmetry";
import { type Journal, type JournalRun, openJournal } from "@isthmus/tasks";
import { withLossGraph } from "@isthmus/training";
import { canonicalize } from "@isthmus/weight-matching";
import {
  CURVATURE_FIELDS,
  type CurvatureChoice,
  type CurvatureProgress,
  type CurvatureStage,
  type MeasureCurvatureOptions,
  type ResolvedCurvatureOptions,
} from "./curvature-options.ts";
import type { CurvatureMeasures, CurvatureResult } from "./curvature-result.ts";
import { ekfac, kfac } from "./kronecker/kronecker-operator.ts";
import { layerBlocks, measureOperator, plannedProducts } from "./measure-operator.ts";
import { measureSurface, plannedLosses } from "./measure-surface.ts";
import { empiricalFisher } from "./operators/empirical-fisher.ts";
import { gaussNewton } from "./operators/gauss-newton.ts";
import { hessian } from "./operators/hessian.ts";
import type { CurvatureOperator } from "./operators/operator-options.ts";
import { sampledGaussNewton } from "./operators/sampled-gauss-newton.ts";
import { announceStages } from "./stage-progress.ts";
import { norm } from "./vectors.ts";

/** Words for the attempt in error messages. */
export const ATTEMPT = "measure curvature";

const RUN_DEFAULTS: Required<Omit<MeasureCurvatureOptions, keyof CurvatureChoice>> = {
  loss: undefined,
  journalPath: undefined,
  signal: undefined,
  onProgress: undefined,
  onPart: undefined,
};

/**
 * Measures the curvature of a network's mean loss: the eigenvalues at both ends of the spectrum of its
 * Hessian (or Gauss-Newton matrix, or empirical Fisher information), the trace with a standard error, and the
 * density of all eigenvalues; on demand also the same by layer, and measures from losses around the network:
 * sharpness, critical sharpness, and the local learning coefficient. The network is in inference mode; the
 * same seed gives the same result.
 *
 * Only adaptive sharpness is invariant to scalings of layers that leave the function unchanged, and the
 * learning coefficient nearly so: with `canonical`, everything is also measured for the canonical form of the
 * network.
 *
 * With a `journalPath`, a measurement that was interrupted goes on with the unfinished part, to the same
 * result.
 * @throws MismatchError if the checkpoint does not fit the graph
 * @throws InputError if the data do not fit the graph or the loss, or a derivative is not finite
 * @throws OutOfRangeError if an option is out of range
 * @throws MismatchError if the journal is of another measurement
 * @throws UsageError if a loss and a graph of a loss are given, or an option that the operator does not take
 * @throws UnsupportedError if an operator has no gradient rule
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { createOnnxRuntimeEngine, measureCurvature, openArchitecture } from "isthmus";
 * import { openCheckpoint, openDataSet } from "isthmus";
 *
 * const architecture = await openArchitecture("examples/mnist-mlp/graph.onnx", createOnnxRuntimeEngine());
 * const network = await openCheckpoint("examples/mnist-mlp/s0.safetensors");
 * const data = await openDataSet("mnist:test@20");
 * const options = { parameters: ["layers.3.*"], count: 1, traceProducts: 30, runs: 0 };
 * const { eigenvalues, trace } = await measureCurvature(architecture, network, data, options);
 * const [sharpest] = eigenvalues?.largest ?? [];
 * assert(sharpest && trace && sharpest.value < trace.trace + 5 * trace.standardError); // convex in one layer
 * await network.close();
 * ```
 */
export async function measureCurvature(
  unscored: Architecture,
  network: Checkpoint,
  labelled: DataSet,
  options: MeasureCurvatureOptions = {},
): Promise<CurvatureResult> {
  const { loss, ...others } = resolveFields(ATTEMPT, CURVATURE_FIELDS, options, RUN_DEFAULTS);
  const isNamed = typeof loss === "string";
  const scored = isNamed ? scoreBy(unscored.graph, loss) : unscored.graph;
  const named = { graph: scored, data: labelled, loss: isNamed ? undefined : loss };
  assertTaken(others);
  await assertFiniteTensors("measure the curvature", network);
  const { lossGraph } = others;
  if (loss !== undefined && lossGraph !== undefined) {
    throw new UsageError(`Cannot ${ATTEMPT} by two losses: leave out "loss", or "lossGraph"`);
  }
  const { data, ...measured } =
    lossGraph === undefined ? named : withLossGraph(ATTEMPT, named, await readGraph(lossGraph));
  const resolved: ResolvedCurvatureOptions = { ...others, loss: measured.loss };
  const architecture = { ...unscored, graph: measured.graph };
  const { canonical, seed, onProgress, onPart } = resolved;
  const forms = canonical ? 2 : 1;
  const announced = (form: number): ResolvedCurvatureOptions => ({
    ...resolved,
    onProgress: ({ done, ...at }: CurvatureProgress) => onProgress?.({ done: (form + done) / forms, ...at }),
  });
  const run = await describeRun(architecture, network, data, resolved);
  const journal = await openJournal(resolved.journalPath, run);
  const describe = (operator: CurvatureOperator, measures: CurvatureMeasures): CurvatureResult => {
    const { reason, step } = operator;
    return {
      kind: "curvature",
      ...(resolved.loss === undefined && lossFields(architecture.graph, data)),
      operator: operator.kind,
      derivatives: operator.derivatives,
      ...(reason === undefined ? {} : { reason }),
      ...(step === undefined ? {} : { step }),
      dimension: operator.dimension,
      parameters: operator.layout.map(({ name }) => name),
      ...measures,
      examples: operator.examples,
      data: data.name,
      network: network.source,
      seed,
      engine: architecture.engine.name,
    };
  };
  const { operator, measures } = await measureForm(architecture, network, data, {
    options: announced(0),
    journal,
    form: "as it is",
    onPart: (op, soFar) => onPart?.(describe(op, soFar)),
  });
  const second = canonical
    ? await measureForm(architecture, await canonicalForm(architecture, network, resolved), data, {
        options: announced(1),
        journal,
        form: "canonical",
      })
    : undefined;
  const result = describe(operator, measures);
  return second ? { ...result, canonical: second.measures } : result;
}

async function canonicalForm(
  architecture: Architecture,
  network: Checkpoint,
  { signal }: ResolvedCurvatureOptions,
): Promise<Checkpoint> {
  const symmetries = await discoverSymmetries(architecture, { signal });
  const linear = await discoverLinearSymmetries(architecture, symmetries, { signal });
  return (await canonicalize(network, { spec: symmetries.spec, linear })).network;
}

/** Options of the measurement of one form of a network. */
interface FormOptions {
  readonly options: ResolvedCurvatureOptions;
  readonly journal: Journal;
  /** Name of the form in the journal. */
  readonly form: string;
  /** Called with loss and gradient, and again each time a part is finished, with all measures so far. */
  readonly onPart?: (operator: CurvatureOperator, measures: CurvatureMeasures) => void;
}

/** Fields of measures by the stages that measure them. */
const FIELDS: Readonly<Record<CurvatureStage, keyof CurvatureMeasures>> = {
  eigenvalues: "eigenvalues",
  trace: "trace",
  density: "density",
  layers: "layers",
  sharpness: "sharpness",
  "critical-sharpness": "criticalSharpness",
  "learning-coefficient": "learningCoefficient",
  settling: "settling",
};

/** Takes all requested measures around one network. */
async function measureForm(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  { options, journal, form, onPart }: FormOptions,
): Promise<{ readonly operator: CurvatureOperator; readonly measures: CurvatureMeasures }> {
  const operator = await openOperator(architecture, network, data, options);
  try {
    const blocks = layerBlocks(architecture.graph, operator, options);
    const planned = [
      ...plannedProducts(operator, blocks, options),
      ...plannedLosses(options, operator.examples),
    ];
    const announce = announceStages(planned, options.onProgress);
    const keyOf = (part: string): string => `${form}: ${part}`;
    const isStored = (part: string): boolean => journal.has(keyOf(part));
    const gradient = new Float64Array(operator.dimension);
    const loss = await operator.gradient(gradient);
    let measured: CurvatureMeasures = { loss, gradientNorm: norm(gradient) };
    onPart?.(operator, measured);
    const keep = async <T>(part: string, measure: () => Promise<T>): Promise<T> => {
      const stage = planned.find((other) => other.stage === part)?.stage;
      if (stage !== undefined && isStored(part)) announce(stage)(1, true);
      const value = await journal.getData(keyOf(part), measure);
      // A single layer is a part of the stage of layers, not a measure of its own.
      if (stage !== undefined) {
        measured = { ...measured, [FIELDS[stage]]: value };
        onPart?.(operator, measured);
      }
      return value;
    };
    const frame = { options, announce, isStored, keep };
    const measures = {
      ...measured,
      ...(await measureOperator(operator, { blocks, gradient }, frame)),
      ...(await measureSurface(architecture, network, data, frame)),
    };
    return { operator, measures };
  } finally {
    await operator.release();
  }
}

const { lossGraph, fisher, sharing, damping } = CURVATURE_FIELDS;

/**
 * Checks that options of approximations by Kronecker products are given with such an operator alone.
 * @throws UsageError if another operator is measured
 */
function assertTaken({ operator, ...options }: Omit<ResolvedCurvatureOptions, "loss">): void {
  if (operator === "kfac" || operator === "ekfac") return;
  for (const name of ["fisher", "sharing", "damping"] as const) {
    if (options[name] === CURVATURE_FIELDS[name].default) continue;
    throw new UsageError(
      `Cannot ${ATTEMPT} with "${name}" ${options[name]} as only the operators "kfac" and "ekfac" take it: the operator is "${operator}"; name one of them, or leave "${name}" out`,
    );
  }
}

/** Fields that came after the first journals, which name them only if they differ from their defaults. */
const LATER_FIELDS = { lossGraph, fisher, sharing, damping };

/** Describes all inputs that decide the numbers of a measurement. */
async function describeRun(
  { graph, engine }: Architecture,
  network: Checkpoint,
  data: DataSet,
  { signal: _, onProgress: __, onPart: ___, journalPath, ...options }: ResolvedCurvatureOptions,
): Promise<JournalRun> {
  if (journalPath === undefined) return {};
  const defaults = new Map(Object.entries(defaultsOf(LATER_FIELDS)));
  const settings = Object.entries(options)
    .filter(([name, value]) => !Object.hasOwn(LATER_FIELDS, name) || value !== defaults.get(name))
    .map(([name, value]) => [name, JSON.stringify(value) ?? "none"]);
  return {
    ...Object.fromEntries(settings),
    graph: fingerprintGraph(graph),
    network: await fingerprintWeights(graph, network),
    data: fingerprintData(data),
    engine: engine.name,
  };
}

function openOperator(
  architecture: Architecture,
  network: Checkpoint,
  data: DataSet,
  resolved: ResolvedCurvatureOptions,
): Promise<CurvatureOperator> {
  const { operator, parameters, loss, examples, batchSize, signal, derivatives, step } = resolved;
  const shared = { parameters, loss, examples, batchSize, signal };
  switch (operator) {
    case "hessian":
      return hessian(architecture, network, data, { ...shared, derivatives, step });
    case "gauss-newton":
      return gaussNewton(architecture, network, data, shared);
    case "sampled-gauss-newton": {
      const { labelSamples, seed } = resolved;
      return sampledGaussNewton(architecture, network, data, { ...shared, labelSamples, seed });
    }
    case "empirical-fisher":
      return empiricalFisher(architecture, network, data, shared);
    case "kfac":
    case "ekfac": {
      const { labelSamples, seed, fisher, sharing } = resolved;
      const approximate = operator === "kfac" ? kfac : ekfac;
      return approximate(architecture, network, data, { ...shared, labelSamples, seed, fisher, sharing });
    }
  }
}
