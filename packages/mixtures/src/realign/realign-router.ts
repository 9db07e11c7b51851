import { at, createCheckpoint, createTensor, MismatchError } from "@isthmus/core";
import { type CurvatureOperator, gaussNewton, type SolveResult, solve } from "@isthmus/curvature";
import { createDataSet } from "@isthmus/data";
import type { Engine, Graph } from "@isthmus/graph";
import { add, GraphBuilder, gemm } from "@isthmus/graph/builder";
import type { RouterLayer } from "../routers/discover-routers.ts";
import { toProbabilities } from "../routers/probabilities.ts";

/** A router whose decisions are to be kept on some tokens. */
export interface RouterTarget {
  /** Weight of the router, `[experts, width]` in rows. */
  readonly rows: Float64Array;
  /** Rows that the merged network's router reads for the tokens, `[tokens, width]`. */
  readonly states: Float32Array;
  /**
   * Scores that the router gave the tokens in its own network, `[tokens, experts]`, which are then kept.
   * @defaultValue the scores that it gives `states`
   */
  readonly scores?: Float32Array | undefined;
}

/** Options of {@link realignRouter}. */
export interface RealignRouterOptions {
  /** Number of experts. */
  readonly experts: number;
  /** Function that turns scores into probabilities. @defaultValue "softmax" */
  readonly probabilities?: RouterLayer["probabilities"];
  /** Share of the second derivatives outside the diagonal that counts, in `[0, 1]`. @defaultValue 0.9 */
  readonly regularization?: number;
  /** Residual over the length of the right side at which a solution is accurate enough. @defaultValue 1e-5 */
  readonly tolerance?: number;
  /** Largest number of products. @defaultValue 500 */
  readonly steps?: number;
  /** Signal that stops the solution between two products. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/** Defaults of {@link RealignRouterOptions}; the number of experts has none. */
const REALIGN_ROUTER_DEFAULTS: Required<Omit<RealignRouterOptions, "experts">> = {
  probabilities: "softmax",
  regularization: 0.9,
  tolerance: 1e-5,
  steps: 500,
  signal: undefined,
};

/** Result of {@link realignRouter}. */
export interface RouterSolution extends Omit<SolveResult, "solution"> {
  /** Weight of the router, `[experts, width]` in rows. */
  readonly rows: Float64Array;
}

/** Tokens in one call of the engine. */
const TOKENS = 4096;

/**
 * Finds the router that changes the decisions of several routers least, each on its own tokens.
 *
 * To second order, the relative entropy of the probabilities `p(W_i x)` of router `i` to the probabilities
 * `p(W x)` is `(W - W_i) S_i (W - W_i) / 2`, where `S_i` is the mean of `H (x) x x'` over the tokens, with
 * `H = diag(p) - p p'` for a softmax and `H = diag(p (1 - p))` for sigmoids. The sum over all routers is
 * least where `sum S_i W = sum S_i W_i`. The numbers of each `S_i` outside the diagonal are multiplied by
 * `regularization`, as few tokens leave them uncertain. With `scores` of its own, a router counts by the
 * probabilities of these.
 *
 * The system is solved by conjugate gradients on products with the Gauss-Newton matrices of the routers, so
 * that no matrix is formed, for the difference from `merged`: if all routers are equal to it, it stays as it
 * is. Each number is measured in units of its diagonal element, which changes the number of steps alone.
 *
 * @param merged - router from which the search starts, `[experts, width]` in rows
 * @throws MismatchError if a router or its tokens have another size
 * @see Huang et al., When model merging breaks routing (HARC), 2026, section 4
 */
export async function realignRouter(
  engine: Engine,
  merged: Float64Array,
  targets: readonly RouterTarget[],
  options: RealignRouterOptions,
): Promise<RouterSolution> {
  const { experts, probabilities, regularization, tolerance, steps, signal } = {
    ...REALIGN_ROUTER_DEFAULTS,
    ...options,
  };
  const width = merged.length / experts;
  const graph = routerGraph(experts, width);
  const operators: CurvatureOperator[] = [];
  try {
    for (const target of targets) {
      assertTarget(target, merged.length, width);
      operators.push(
        await openOperator({ graph, engine }, target, { experts, width, probabilities, signal }),
      );
    }
    const moments = targets.map((target) => momentsOf(target, { experts, width, probabilities }));
    const diagonals = moments.map(({ diagonal }) => diagonal);
    // The binary cross-entropy is a mean over the experts, too.
    const factor = probabilities === "softmax" ? 1 : experts;
    /** Adds the product of one router's matrix and a vector. */
    const product = new Float64Array(merged.length);
    const addInto = async (out: Float64Array, index: number, vector: Float64Array): Promise<void> => {
      await at(operators, index, "router").apply(vector, product);
      const diagonal = at(diagonals, index, "router");
      for (let k = 0; k < out.length; k++) {
        const whole = regularization * factor * (product[k] as number);
        const alone = (1 - regularization) * (diagonal[k] as number) * (vector[k] as number);
        out[k] = (out[k] as number) + whole + alone;
      }
    };
    const scale = scalesOf(diagonals, merged.length);
    const right = new Float64Array(merged.length);
    for (const [i, { rows }] of targets.entries()) {
      await addInto(
        right,
        i,
        rows.map((value, k) => value - at(merged, k, "weight")),
      );
      const { drift } = at(moments, i, "router");
      for (let k = 0; k < right.length; k++) right[k] = (right[k] as number) + (drift[k] as number);
    }
    const operator = {
      dimension: merged.length,
      layout: [{ name: WEIGHT, shape: [experts, width], offset: 0 }],
      apply: async (vector: Float64Array, out: Float64Array): Promise<void> => {
        out.fill(0);
        const scaled = vector.map((value, k) => value * at(scale, k, "weight"));
        for (const i of targets.keys()) await addInto(out, i, scaled);
        for (let k = 0; k < out.length; k++) out[k] = (out[k] as number) * (scale[k] as number);
      },
    };
    const scaled = right.map((value, k) => value * at(scale, k, "weight"));
    const { solution, ...result } = await solve(operator, scaled, { tolerance, steps, signal });
    const rows = merged.map((value, k) => value + at(scale, k, "weight") * at(solution, k, "weight"));
    return { rows, ...result };
  } finally {
    for (const operator of operators) await operator.release();
  }
}

const WEIGHT = "router";

/** Name of the input for the rows that the router reads. */
const STATES = "states";

/** Name of the input for what is added to the scores of the router, so that they are those to be kept. */
const DRIFTS = "drifts";

/** Builds the graph of a router: rows `[tokens, width]` to scores `[tokens, experts]`. */
function routerGraph(experts: number, width: number): Graph {
  const builder = new GraphBuilder("router", 21);
  const states = builder.input(STATES, { dtype: "f32", shape: [2, width] });
  const weight = builder.weight(WEIGHT, { dtype: "f32", shape: [experts, width] });
  const drifts = builder.input(DRIFTS, { dtype: "f32", shape: [2, experts] });
  const logits = builder.rename(add(gemm(states, weight, { transB: true }), drifts), "logits");
  return builder.build([logits], { batchName: "N" });
}

function assertTarget({ rows, states }: RouterTarget, size: number, width: number): void {
  if (rows.length === size && states.length % width === 0 && states.length > 0) return;
  throw new MismatchError(
    `Cannot realign a router of ${size} weights as each router must have as many, and tokens of ${width} numbers: one has ${rows.length}, and ${states.length / width} tokens`,
    { parameters: [WEIGHT] },
  );
}

interface RouterSize extends Pick<RouterLayer, "experts" | "width" | "probabilities"> {
  readonly signal?: AbortSignal | undefined;
}

async function openOperator(
  architecture: { readonly graph: Graph; readonly engine: Engine },
  target: RouterTarget,
  size: RouterSize,
): Promise<CurvatureOperator> {
  const { experts, width, probabilities, signal } = size;
  const { rows, states } = target;
  const network = createCheckpoint({
    [WEIGHT]: createTensor("f32", [experts, width], Float32Array.from(rows)),
  });
  const tokens = states.length / width;
  const drifts = createTensor("f32", [tokens, experts], driftsOf(target, size));
  // No second derivative depends on the labels.
  const labels =
    probabilities === "softmax"
      ? new Int32Array(tokens)
      : createTensor("f32", [tokens, experts], new Float32Array(tokens * experts).fill(0.5));
  const data = createDataSet(createTensor("f32", [tokens, width], states), labels, {
    inputName: STATES,
    features: new Map([[DRIFTS, drifts]]),
    ...(probabilities === "softmax" && { classes: experts }),
  });
  const kind = probabilities === "softmax" ? "cross-entropy" : "binary-cross-entropy";
  return gaussNewton(architecture, network, data, {
    loss: { kind, examples: STATES },
    batchSize: TOKENS,
    signal,
  });
}

/** Computes the scores of one token, `[experts]`. */
function scoreInto(rows: Float64Array, state: Float32Array, out: Float64Array): void {
  const width = state.length;
  for (let expert = 0; expert < out.length; expert++) {
    let score = 0;
    for (let i = 0; i < width; i++) score += (rows[expert * width + i] as number) * (state[i] as number);
    out[expert] = score;
  }
}

/** Computes the differences of the scores to be kept from the router's scores, `[tokens, experts]`. */
function driftsOf({ rows, states, scores }: RouterTarget, { experts, width }: RouterSize): Float32Array {
  const drifts = new Float32Array((states.length / width) * experts);
  if (scores === undefined) return drifts;
  const unmoved = new Float64Array(experts);
  for (let token = 0; token * experts < drifts.length; token++) {
    scoreInto(rows, states.subarray(token * width, (token + 1) * width), unmoved);
    for (let expert = 0, k = token * experts; expert < experts; expert++, k++) {
      drifts[k] = (scores[k] as number) - (unmoved[expert] as number);
    }
  }
  return drifts;
}

/**
 * Computes means over the tokens of a router, `[experts, width]`: the diagonal of its matrix, `p (1 - p)
 * x^2`, and `H d x'` with the drifts `d`.
 */
function momentsOf(
  target: RouterTarget,
  size: RouterSize,
): { readonly diagonal: Float64Array; readonly drift: Float64Array } {
  const { rows, states } = target;
  const { experts, width, probabilities } = size;
  const [diagonal, drift] = [new Float64Array(rows.length), new Float64Array(rows.length)];
  const drifts = driftsOf(target, size);
  const tokens = states.length / width;
  const shares = new Float64Array(experts);
  for (let token = 0; token < tokens; token++) {
    const state = states.subarray(token * width, (token + 1) * width);
    const moved = drifts.subarray(token * experts, (token + 1) * experts);
    scoreInto(rows, state, shares);
    moved.forEach((value, expert) => {
      shares[expert] = (shares[expert] as number) + value;
    });
    toProbabilities(shares, probabilities);
    const mean =
      probabilities === "softmax" ? shares.reduce((sum, p, i) => sum + p * (moved[i] as number), 0) : 0;
    for (let expert = 0; expert < experts; expert++) {
      const p = shares[expert] as number;
      const variance = p * (1 - p);
      const pull =
        probabilities === "softmax"
          ? p * ((moved[expert] as number) - mean)
          : variance * (moved[expert] as number);
      for (let i = 0, k = expert * width; i < width; i++, k++) {
        const x = state[i] as number;
        diagonal[k] = (diagonal[k] as number) + (variance * x * x) / tokens;
        drift[k] = (drift[k] as number) + (pull * x) / tokens;
      }
    }
  }
  return { diagonal, drift };
}

/** Returns the unit in which each number is measured; 1 for numbers that no token depends on. */
function scalesOf(diagonals: readonly Float64Array[], size: number): Float64Array {
  return Float64Array.from({ length: size }, (_, k) => {
    const sum = diagonals.reduce((total, diagonal) => total + at(diagonal, k, "weight"), 0);
    return sum > 0 ? 1 / Math.sqrt(sum) : 1;
  });
}
