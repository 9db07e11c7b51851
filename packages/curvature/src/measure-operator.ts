import { groupLayers } from "@isthmus/barrier";
import { sumOf } from "@isthmus/core";
import type { Graph } from "@isthmus/graph";
import type { ResolvedCurvatureOptions } from "./curvature-options.ts";
import type { CurvatureMeasures, LayerCurvature } from "./curvature-result.ts";
import { estimateTrace } from "./estimate-trace.ts";
import type { ClosedForm } from "./linear-operator.ts";
import type { CurvatureOperator } from "./operators/operator-options.ts";
import { type OperatorBlock, restrictOperator } from "./restrict-operator.ts";
import type { Eigenpair } from "./ritz-pairs.ts";
import { spectralDensity } from "./spectral-density.ts";
import type { MeasurementFrame, PlannedWork } from "./stage-progress.ts";
import { topEigenpairs } from "./top-eigenpairs.ts";
import { norm } from "./vectors.ts";

/** Part of an operator that belongs to a layer. */
interface LayerBlock {
  readonly name: string;
  readonly block: OperatorBlock;
}

/**
 * Lists the parts of an operator that belong to each layer, or each block, of the network; layers without
 * parameters in the operator are left out.
 */
export function layerBlocks(
  graph: Graph,
  operator: CurvatureOperator,
  { by }: ResolvedCurvatureOptions,
): LayerBlock[] {
  if (by === undefined) return [];
  const names = new Set(operator.layout.map(({ name }) => name));
  return groupLayers(graph, [], by).flatMap(({ name, tensors }) => {
    const measured = tensors.filter((tensor) => names.has(tensor));
    return measured.length === 0 ? [] : [{ name, block: restrictOperator(operator, measured) }];
  });
}

/** Plans how many products each measure of an operator takes at most. */
export function plannedProducts(
  { dimension, closedForm }: CurvatureOperator,
  blocks: readonly LayerBlock[],
  { count, steps, traceProducts, runs, densitySteps }: ResolvedCurvatureOptions,
): PlannedWork[] {
  const ofBlocks = blocks.map(({ block }) => blockProducts(block, { count, steps, traceProducts }));
  return [
    { stage: "eigenvalues", work: count > 0 && !closedForm ? steps : 0 },
    { stage: "trace", work: closedForm ? 0 : Math.min(traceProducts, dimension) },
    { stage: "density", work: runs * Math.min(densitySteps, dimension) },
    { stage: "layers", work: sumOf(ofBlocks) },
  ];
}

function blockProducts(
  { dimension }: OperatorBlock,
  { count, steps, traceProducts }: Pick<ResolvedCurvatureOptions, "count" | "steps" | "traceProducts">,
): number {
  return (count > 0 ? Math.min(steps, dimension) : 0) + Math.min(traceProducts, dimension);
}

/** Measures eigenvalues, trace, density and blocks of an operator, each if the options request it. */
export async function measureOperator(
  operator: CurvatureOperator,
  { blocks, gradient }: { readonly blocks: readonly LayerBlock[]; readonly gradient: Float64Array },
  { options, announce, keep, isStored }: MeasurementFrame,
): Promise<Pick<CurvatureMeasures, "eigenvalues" | "trace" | "closedForm" | "density" | "layers">> {
  const { count, tolerance, steps, traceProducts, relativeError, runs, seed, signal } = options;
  const { closedForm } = operator;
  const measured: { -readonly [K in keyof CurvatureMeasures]?: CurvatureMeasures[K] } = closedForm
    ? readClosedForm(closedForm, options)
    : {};
  if (count > 0 && closedForm === undefined) {
    const onProgress = announce("eigenvalues");
    measured.eigenvalues = await keep("eigenvalues", async () => {
      const pairs = await topEigenpairs(operator, {
        seed,
        signal,
        onProgress: ({ done }) => onProgress(done),
        count,
        tolerance,
        steps,
        end: "both",
      });
      const { converged, products } = pairs;
      const [largest, smallest] = [pairs.largest.map(withoutVector), pairs.smallest.map(withoutVector)];
      return { largest, smallest, converged, tolerance, products };
    });
  }
  if (traceProducts > 0 && closedForm === undefined) {
    const onProgress = announce("trace");
    measured.trace = await keep("trace", () =>
      estimateTrace(operator, {
        seed,
        signal,
        onProgress: ({ done }) => onProgress(done),
        products: traceProducts,
        relativeError,
      }),
    );
  }
  if (runs > 0) {
    const onProgress = announce("density");
    const { densitySteps, points, width } = options;
    measured.density = await keep("density", () =>
      spectralDensity(operator, {
        seed,
        signal,
        onProgress: ({ done }) => onProgress(done),
        runs,
        steps: densitySteps,
        points,
        width,
      }),
    );
  }
  if (options.by !== undefined) {
    const layers: LayerCurvature[] = [];
    const onProgress = announce("layers");
    for (const [i, { name, block }] of blocks.entries()) {
      const gradientNorm = norm(block.cut(gradient));
      const part = `layer ${name}`;
      const stored = isStored(part);
      layers.push({ name, gradientNorm, ...(await keep(part, () => measureBlock(block, options))) });
      onProgress((i + 1) / blocks.length, stored);
    }
    measured.layers = layers;
  }
  return measured;
}

/** Reads eigenvalues, trace, norm and determinant of a matrix off its closed form, without products. */
function readClosedForm(
  closed: ClosedForm,
  { count, tolerance, traceProducts, damping }: ResolvedCurvatureOptions,
): Pick<CurvatureMeasures, "eigenvalues" | "trace" | "closedForm"> {
  const falling = count > 0 ? closed.eigenvalues() : new Float64Array();
  const exact = (values: Float64Array) => Array.from(values, (value) => ({ value, residual: 0 }));
  const largest = exact(falling.subarray(0, count));
  const smallest = exact(falling.slice(-count).reverse());
  const { trace, frobeniusNorm } = closed;
  return {
    ...(count > 0 && { eigenvalues: { largest, smallest, converged: true, tolerance, products: 0 } }),
    ...(traceProducts > 0 && {
      trace: { trace, standardError: 0, samples: 0, products: 0, converged: true },
    }),
    closedForm: { frobeniusNorm, logDeterminant: finite(closed.logDeterminant(damping)), damping },
  };
}

async function measureBlock(
  block: OperatorBlock,
  { count, tolerance, steps, traceProducts, relativeError, seed, signal }: ResolvedCurvatureOptions,
): Promise<Omit<LayerCurvature, "name" | "gradientNorm">> {
  const { dimension, layout } = block;
  const shared = { dimension, parameters: layout.map(({ name }) => name) };
  const pairs =
    count > 0 ? await topEigenpairs(block, { seed, signal, count: 1, tolerance, steps }) : undefined;
  const [pair] = pairs?.largest ?? [];
  const trace =
    traceProducts > 0
      ? await estimateTrace(block, { seed, signal, products: traceProducts, relativeError })
      : undefined;
  return {
    ...shared,
    ...(pairs && pair
      ? { largest: { ...withoutVector(pair), converged: pairs.converged, products: pairs.products } }
      : {}),
    ...(trace && { trace }),
  };
}

const withoutVector = ({ value, residual }: Eigenpair) => ({ value, residual });

const finite = (x: number): number | null => (Number.isFinite(x) ? x : null);
