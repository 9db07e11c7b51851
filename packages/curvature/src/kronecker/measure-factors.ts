import { gradient, hessianVectorProduct, vectorName } from "@isthmus/autodiff";
import {
  allocateData,
  at,
  type DType,
  entry,
  fromFloat64Into,
  type Tensor,
  toFloat64,
  UnsupportedError,
} from "@isthmus/core";
import { bindWeights } from "@isthmus/graph";
import { createMatrix, type Matrix, type SymmetricEigen, symmetricEigen } from "@isthmus/linear-algebra";
import { createObjectiveRunner, type LossSpec, type ObjectiveOutcome } from "@isthmus/training";
import type { MeasuredLoss } from "../operators/open-operator.ts";
import { addMultipleInPlace } from "../vectors.ts";
import {
  correctionsGraph,
  FACTOR_INPUTS,
  factorName,
  inputsGraph,
  outputsGraph,
  type Sharing,
} from "./factor-graphs.ts";
import { findKroneckerLayers, type KroneckerLayer } from "./find-layers.ts";
import { type ColumnOptions, outputColumns } from "./output-columns.ts";

/** Settings of the measurement of factors. */
export interface FactorSettings extends ColumnOptions {
  /** Words for the computation in messages. */
  readonly attempt: string;
  /** Names of the parameters that are measured; undefined for all of known layers. */
  readonly parameters: readonly string[] | undefined;
  /** Convention for layers that use their weight at several places. */
  readonly sharing: Sharing;
  /** The loss; undefined for the loss that networks are evaluated by. */
  readonly loss: LossSpec | undefined;
  /** Number of examples, the first ones of the data. */
  readonly examples: number;
  /** Number of examples in one engine call. */
  readonly batchSize: number;
  /** Signal that stops the measurement. */
  readonly signal: AbortSignal | undefined;
  /** Whether the eigenvalues are corrected for the eigenvectors of the factors. */
  readonly corrects: boolean;
}

/** Factors of all layers by the names of `factorName`, f64. */
export interface MeasuredFactors {
  /** Mean products of inputs, and of gradients by outputs. */
  readonly factors: ReadonlyMap<string, Matrix>;
  /** Eigenvectors of the factors; empty if eigenvalues are not corrected. */
  readonly eigen: ReadonlyMap<string, SymmetricEigen>;
  /**
   * Corrected eigenvalues, `[outputs, inputs]`, and `[outputs]` of biases; empty if they are not corrected.
   */
  readonly corrections: ReadonlyMap<string, Float64Array>;
}

/** Graphs that the objective of a network's output is made into. */
type FactorKind = "gradient" | "hessian" | "outputs" | "inputs" | "corrections";

type Tensors = ReadonlyMap<string, Tensor>;

/** Runner of the graphs of factors. */
interface FactorRunner {
  readonly batchSize: number;
  /** Runs a graph on one batch. */
  readonly run: (kind: FactorKind, batch: number, tensors: Tensors) => Promise<ObjectiveOutcome>;
  readonly release: () => Promise<void>;
}

/**
 * Measures the Kronecker factors of layers batch by batch: once through the network for the inputs, and once
 * back for every column at the output; for corrected eigenvalues once back for every column again.
 * @throws UnsupportedError if the graph computes the loss itself, or an operator has no gradient rule
 */
export async function measureFactors(
  measured: MeasuredLoss,
  layers: readonly KroneckerLayer[],
  settings: FactorSettings,
): Promise<MeasuredFactors> {
  const runner = await openFactorRunner(measured, layers, settings);
  try {
    const ofOutputs = new Map<string, Float64Array>();
    const ofInputs = new Map<string, Float64Array>();
    const { examples } = settings;
    let next = 0;
    await visitColumns(runner, settings, async ({ batch, column, count }) => {
      addInto(ofOutputs, await runner.run("outputs", batch, column), count / examples);
      if (batch < next || layers.every(({ weight }) => weight === undefined)) return;
      next = batch + 1;
      addInto(ofInputs, await runner.run("inputs", batch, countedExamples(column, count)), 1 / examples);
    });
    const factors = new Map(
      [...ofOutputs, ...ofInputs].map(([name, sum]) => {
        const size = Math.round(Math.sqrt(sum.length));
        return [name, createMatrix(size, size, sum)] as const;
      }),
    );
    const corrections = new Map<string, Float64Array>();
    if (!settings.corrects) return { factors, eigen: new Map(), corrections };
    const eigen = new Map([...factors].map(([name, matrix]) => [name, symmetricEigen(matrix)] as const));
    await visitColumns(runner, settings, async ({ batch, column, count }) => {
      const others = [...countedExamples(column, count), ...vectorsOf(layers, eigen, dtypeOf(column))];
      const outcome = await runner.run("corrections", batch, new Map([...column, ...others]));
      addInto(corrections, outcome, count / examples);
    });
    return { factors, eigen, corrections };
  } finally {
    await runner.release();
  }
}

async function openFactorRunner(
  { graph, engine, network, data }: MeasuredLoss,
  layers: readonly KroneckerLayer[],
  { parameters, sharing, corrects, ...settings }: FactorSettings,
): Promise<FactorRunner> {
  const { attempt } = settings;
  const kinds: readonly FactorKind[] = [
    "gradient",
    "hessian",
    "outputs",
    ...(layers.some(({ weight }) => weight !== undefined) ? ["inputs" as const] : []),
    ...(corrects ? ["corrections" as const] : []),
  ];
  const varying = new Set<string>([FACTOR_INPUTS.cotangent]);
  const mean = { ...settings, graph, engine, data, varying };
  const runner = await createObjectiveRunner(mean, ({ graph: scored, loss, output }) => {
    if (output === undefined) {
      throw new UnsupportedError(
        `Cannot ${attempt} of graph "${graph.name}" as its loss must be a function of an output: "${loss}" is computed by the graph itself; take the Hessian`,
        { feature: "loss of kind output" },
      );
    }
    varying.add(vectorName(output));
    const scoredLayers = findKroneckerLayers(attempt, scored, parameters);
    const factored = { graph: scored, output, layers: scoredLayers, sharing };
    const ofOutput = { loss, withRespectTo: [output] };
    const make = {
      gradient: () => gradient(scored, ofOutput),
      hessian: () => hessianVectorProduct(scored, ofOutput),
      outputs: () => outputsGraph(factored),
      inputs: () => inputsGraph(factored),
      corrections: () => correctionsGraph(factored),
    };
    return kinds.map((kind) => make[kind]());
  });
  const weights = await bindWeights(graph, network);
  return {
    batchSize: runner.batchSize,
    async run(kind, batch, tensors) {
      const outcomes: ObjectiveOutcome[] = [];
      const all = new Map([...weights, ...tensors]);
      await runner.run(kinds.indexOf(kind), all, (outcome) => outcomes.push(outcome), batch);
      return at(outcomes, 0, "batch");
    },
    release: () => runner.release(),
  };
}

/** Column at the output for the examples of a batch. */
interface BatchColumn {
  /** Number of the batch. */
  readonly batch: number;
  /** Number of its examples that count. */
  readonly count: number;
  /** The column, under the name of its data input. */
  readonly column: Tensors;
}

/** Visits the columns at the output on every batch. */
async function visitColumns(
  { batchSize, run }: FactorRunner,
  { examples, signal, ...settings }: FactorSettings,
  use: (column: BatchColumn) => Promise<void>,
): Promise<void> {
  for (let batch = 0; batch * batchSize < examples; batch++) {
    const count = Math.min(batchSize, examples - batch * batchSize);
    const head = {
      gradient: (tensors: Tensors) => run("gradient", batch, tensors),
      hessian: (tensors: Tensors) => run("hessian", batch, tensors),
      batch,
    };
    for await (const column of outputColumns(settings.attempt, head, settings)) {
      signal?.throwIfAborted();
      await use({ batch, count, column: new Map([[FACTOR_INPUTS.cotangent, column]]) });
    }
  }
}

function addInto(sums: Map<string, Float64Array>, { results }: ObjectiveOutcome, factor: number): void {
  for (const [name, { data, dtype }] of results) {
    const sum = sums.get(name) ?? new Float64Array(data.length);
    addMultipleInPlace(sum, factor, toFloat64(data, dtype));
    sums.set(name, sum);
  }
}

const columnOf = (column: Tensors): Tensor => entry(column, FACTOR_INPUTS.cotangent, "column");

const dtypeOf = (column: Tensors): DType => columnOf(column).dtype;

const tensorOf = (values: Float64Array, dtype: DType, shape: readonly number[]): Tensor => ({
  dtype,
  shape,
  data: fromFloat64Into(values, dtype, allocateData(dtype, values.length)),
});

/** Makes the input that says which examples of a batch count. */
function countedExamples(column: Tensors, count: number): Tensors {
  const { dtype, shape } = columnOf(column);
  const batch = at(shape, 0, "extent");
  const ones = Float64Array.from({ length: batch }, (_, i) => (i < count ? 1 : 0));
  return new Map([[FACTOR_INPUTS.counted, tensorOf(ones, dtype, [batch, 1, 1])]]);
}

/** Makes the inputs that take the eigenvectors of the factors. */
function vectorsOf(
  layers: readonly KroneckerLayer[],
  eigen: ReadonlyMap<string, SymmetricEigen>,
  dtype: DType,
): Tensors {
  const made = (name: string, factor: string): [string, Tensor] => {
    const { rows, data } = entry(eigen, factor, "factor").vectors;
    return [name, tensorOf(Float64Array.from(data), dtype, [rows, rows])];
  };
  return new Map(
    layers.flatMap(({ weight, output }) => [
      made(factorName.outputVectors(output), factorName.outputs(output)),
      ...(weight === undefined ? [] : [made(factorName.inputVectors(output), factorName.inputs(output))]),
    ]),
  );
}
