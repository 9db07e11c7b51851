import { gradient, lowerBatchNorm } from "@isthmus/autodiff";
import { DTYPES, MismatchError, matchesAny } from "@isthmus/core";
import { type Engine, type Graph, specialize } from "@isthmus/graph";
import { cast, GraphBuilder, mul, type Value } from "@isthmus/graph/builder";
import { capturedNames, gradientName } from "@isthmus/graph/ir";
import type { BlendDecay, BlendedPoint, BlendPoint } from "../blend/blend-point.ts";
import { blendWeights } from "../blend/blend-weights.ts";
import { attachLoss } from "../loss/attach-loss.ts";
import type { LossSpec } from "../loss/loss-spec.ts";
import { type TrainingMode, toTrainingMode } from "../mode/to-training-mode.ts";
import type { Objective } from "../objective.ts";
import { clipGradients } from "../optimizer/clip-gradients.ts";
import type { OptimizerSpec } from "../optimizer/optimizer-spec.ts";
import { type ResolvedOptimizer, resolveOptimizer } from "../optimizer/resolve-optimizer.ts";
import { sharpnessAwareGradients } from "../optimizer/sharpness-aware.ts";
import { StepScalars } from "../optimizer/step-scalars.ts";
import type { CarriedRole, TrainingStep } from "./training-step.ts";

/** Options of {@link createTrainingStep}. */
export interface TrainingStepOptions {
  /** Examples in a batch, at least 1. */
  readonly batch: number;
  readonly loss: LossSpec;
  readonly optimizer: OptimizerSpec;
  /**
   * Extents of symbolic dimensions other than the batch by name, such as a sequence's; 8 where not given. @defaultValue none
   */
  readonly extents?: Readonly<Record<string, number>>;
  /**
   * Names of parameters that stay as they are; `*` stands for any characters. Statistics of norms move all the same.
   * @defaultValue none
   */
  readonly freeze?: readonly string[];
  /**
   * Points whose weighted sum is the network that the step is made at; the step then changes those that are trained. Names in
   * `freeze` and in the optimiser's exclusions stay those of the network. Norms normalise by the batch; running statistics belong to
   * no point, and are left out. @defaultValue none: the network itself
   */
  readonly blend?: readonly BlendPoint[];
  /** Which weights of a blend decay: see {@link BlendDecay}. @defaultValue "points" */
  readonly blendDecay?: BlendDecay;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes one step of training of a network a graph: in training mode, with loss, gradients, clipping and update.
 *
 * @param graph - as exported for inference or as the zoo builds it
 * @throws MismatchError if the loss does not fit the graph, or there is nothing to train
 * @throws UnsupportedError if an operator has no gradient rule
 * @throws EngineError if the engine cannot run the graph
 * @throws RangeError if an option is out of its range, or no point of a blend is trained
 * @throws TypeError if an optimiser or a loss has an option that is not known
 */
export async function createTrainingStep(
  graph: Graph,
  engine: Engine,
  options: TrainingStepOptions,
): Promise<TrainingStep> {
  const {
    batch,
    loss,
    optimizer: spec,
    extents = {},
    freeze = [],
    blend,
    blendDecay = "points",
    signal,
  } = options;
  if (!Number.isSafeInteger(batch) || batch < 1) {
    throw new RangeError(
      `Cannot train graph "${graph.name}" as a batch must be a whole number of at least 1: it is ${batch}`,
    );
  }
  const optimizer = resolveOptimizer(spec);
  const aborting = signal === undefined ? {} : { signal };
  const typed = await specialize(graph, engine, { batch, extents, ...aborting });
  const objective = attachLoss(typed, loss);
  assertBatch(objective, batch);
  const mode = toTrainingMode(objective.graph);
  const parameters = floatingParameters(mode);
  const trained = trainedParameters(mode, { parameters, freeze });
  const target =
    blend === undefined
      ? { ...mode, trained: new Map(trained.map((name) => [name, { name }])) }
      : blendMode(mode, { points: blend, decay: blendDecay, parameters, trained });
  const withRespectTo = [...target.trained.keys()];
  const differentiated = gradient(target.graph, { loss: objective.loss, withRespectTo });
  return assembleStep({ batch, objective, mode: target, optimizer, differentiated });
}

/** A graph as it is trained, and by what it is differentiated. */
interface StepTarget extends TrainingMode {
  /** All that is trained, by the weights that hold it. */
  readonly trained: ReadonlyMap<string, TrainedWeight>;
  readonly points?: readonly BlendedPoint[];
}

/** A weight that is trained. */
interface TrainedWeight {
  /** Its name in the network. */
  readonly name: string;
  /** Data input for how much of it is in the blend, where it is the blend that decays. */
  readonly share?: string;
}

function blendMode(
  { graph, masks }: TrainingMode,
  {
    points: given,
    decay,
    parameters,
    trained,
  }: {
    readonly points: readonly BlendPoint[];
    readonly decay: BlendDecay;
    readonly parameters: readonly string[];
    readonly trained: readonly string[];
  },
): StepTarget {
  const blended = blendWeights(graph, { points: given, weights: parameters });
  const entries = blended.points
    .filter((point) => point.trained)
    .flatMap(({ weights, coefficient }) => {
      const share = decay === "blend" ? { share: coefficient } : {};
      return trained.map((name) => [weights.get(name) ?? name, { name, ...share }] as const);
    });
  return { ...blended, masks, statistics: new Map(), trained: new Map(entries) };
}

/** A graph with gradients and all that decides what a step does with them. */
interface StepParts {
  readonly batch: number;
  readonly objective: Objective;
  readonly mode: StepTarget;
  readonly optimizer: ResolvedOptimizer;
  /** Has an output for the gradient of each trained parameter. */
  readonly differentiated: Graph;
}

function assembleStep({ batch, objective, mode, optimizer, differentiated }: StepParts): TrainingStep {
  const { loss, examples, targets, targetWeights, metrics } = objective;
  const builder = GraphBuilder.from(differentiated);
  const scalars = new StepScalars(builder, differentiated);
  const parameters = [...mode.trained.keys()].map((name) => builder.value(name));
  const found = findGradients(optimizer, differentiated, { loss, parameters });
  const updates = updateParameters(optimizer, scalars, {
    parameters,
    gradients: found.gradients,
    trained: mode.trained,
  });
  const statistics = [...mode.statistics].map(([name, output]): CarriedValue => {
    return { input: builder.value(name), output: builder.value(output), role: "statistic" };
  });
  const carried = [
    ...updates.filter(isParameter),
    ...statistics,
    ...updates.filter((each) => !isParameter(each)),
  ];
  const watched = [...metrics].map(([what, name]): [string, Value] => [what, builder.value(name)]);
  if (found.norm !== undefined) watched.push(["gradientNorm", found.norm]);
  const outputs = [
    builder.value(loss),
    ...watched.map(([, value]) => value),
    ...carried.map(({ output }) => output),
  ];
  const graph = lowerBatchNorm(builder.build(outputs));
  return {
    graph: mode.points === undefined ? graph : withoutUnusedWeights(graph),
    batch,
    examples,
    targets: targets.name,
    ...(targetWeights === undefined ? {} : { targetWeights }),
    carried: carried.map(({ input: { name, dtype, shape }, output, role }) => {
      return { input: name, output: output.name, role, dtype, shape };
    }),
    scalars: scalars.inputs,
    masks: mode.masks,
    ...(mode.points === undefined ? {} : { blend: mode.points }),
    loss,
    metrics: new Map(watched.map(([what, { name }]) => [what, name])),
  };
}

/** Gradients as the update is to have them, and their norm where it was needed. */
function findGradients(
  { rho, clipNorm }: ResolvedOptimizer,
  differentiated: Graph,
  { loss, parameters }: { readonly loss: string; readonly parameters: readonly Value[] },
): { readonly gradients: readonly Value[]; readonly norm?: Value } {
  const plain = parameters.map(({ name, builder }) => builder.value(gradientName(loss, name)));
  const gradients =
    rho === null
      ? plain
      : sharpnessAwareGradients(differentiated, { loss, rho }, { parameters, gradients: plain });
  return clipNorm === null ? { gradients } : clipGradients(gradients, clipNorm);
}

/** A tensor that is carried, as values of the step under construction. */
interface CarriedValue {
  readonly input: Value;
  readonly output: Value;
  readonly role: CarriedRole;
}

const isParameter = ({ role }: CarriedValue): boolean => role === "parameter";

function updateParameters(
  { update, decayOf }: ResolvedOptimizer,
  scalars: StepScalars,
  {
    parameters,
    gradients,
    trained,
  }: {
    readonly parameters: readonly Value[];
    readonly gradients: readonly Value[];
    readonly trained: StepTarget["trained"];
  },
): CarriedValue[] {
  return parameters.flatMap((parameter, i) => {
    const { builder, name, dtype, shape } = parameter;
    const states = new Map<string, Value>();
    const state = (kind: string): Value => {
      const value = states.get(kind) ?? builder.weight(`${kind}(${name})`, { dtype, shape }, "statistic");
      states.set(kind, value);
      return value;
    };
    const gradient = gradients[i] ?? parameter;
    const { name: own, share } = trained.get(name) ?? { name };
    const decay = decayOf({ name: own, shape });
    const decayed =
      share === undefined ? parameter : mul(builder.value(own), cast(builder.value(share), dtype));
    const next = update({ parameter, gradient, decay, decayed, scalars, state });
    return [
      { input: parameter, output: next.parameter, role: "parameter" as const },
      ...Object.entries(next.state).map(([kind, output]): CarriedValue => {
        return { input: state(kind), output, role: "state" };
      }),
    ];
  });
}

/** Floating-point parameters in the graph's order. */
function floatingParameters({ graph, statistics }: TrainingMode): string[] {
  return [...graph.weights]
    .filter(([name, { role, dtype }]) => role === "parameter" && DTYPES[dtype].float && !statistics.has(name))
    .map(([name]) => name);
}

/** Parameters but those that stay as they are. */
function trainedParameters(
  { graph }: TrainingMode,
  { parameters, freeze }: { readonly parameters: readonly string[]; readonly freeze: readonly string[] },
): string[] {
  for (const pattern of freeze) {
    if (parameters.some((name) => matchesAny([pattern], name))) continue;
    throw new RangeError(
      `Cannot freeze "${pattern}" as it must match a floating-point parameter of graph "${graph.name}": none of ${parameters.length} does`,
    );
  }
  const trained = parameters.filter((name) => !matchesAny(freeze, name));
  if (trained.length > 0) return trained;
  throw new MismatchError(
    `Cannot train graph "${graph.name}" as it needs at least one floating-point parameter that is not frozen: of ${graph.weights.size} weights, ${parameters.length} are floating-point parameters, and ${parameters.length} of these are frozen`,
    { parameters: [...graph.weights.keys()] },
  );
}

/** The graph without weights that no node uses: running statistics, once norms take the batch's. */
function withoutUnusedWeights(graph: Graph): Graph {
  const used = new Set(graph.nodes.flatMap((node) => [...node.inputs, ...capturedNames(node)]));
  return { ...graph, weights: new Map([...graph.weights].filter(([name]) => used.has(name))) };
}

function assertBatch({ graph, examples }: Objective, batch: number): void {
  const extent = graph.inputs.find(({ name }) => name === examples)?.shape?.[0];
  if (extent === batch) return;
  throw new MismatchError(
    `Cannot train graph "${graph.name}" by batches of ${batch} as its input must take as many examples: "${examples}" takes ${extent ?? "none"}`,
    { parameters: [] },
  );
}
