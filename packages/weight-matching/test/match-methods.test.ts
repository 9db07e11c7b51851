import { type Checkpoint, createCheckpoint, createRandom, type Tensor } from "@isthmus/core";
import { createDataSet } from "@isthmus/data";
import { createOnnxRuntimeEngine } from "@isthmus/engine";
import { bindWeights, type DataSet, type Graph, randomWeights } from "@isthmus/graph";
import {
  discoverLinearSymmetries,
  discoverSymmetries,
  permute,
  randomAlignment,
  type Symmetries,
  verifyAlignment,
} from "@isthmus/symmetry";
import {
  MATCH_METHODS,
  type MatchMethod,
  type MatchOptions,
  match,
  matchNormalized,
} from "@isthmus/weight-matching";
import { describe, expect, test } from "vitest";
import { distance } from "../../../test/helpers/distance.ts";
import { smallCnn, smallMlp, smallTransformer } from "../../../test/helpers/small-networks.ts";

const engine = createOnnxRuntimeEngine();
const EXAMPLES = 48;

interface Case {
  readonly name: string;
  readonly graph: Graph;
  readonly symmetries: Symmetries;
  readonly data: DataSet;
  readonly a: Checkpoint;
  readonly b: Checkpoint;
}

/** A network that is sure of its answers, and data that it answers rightly: what loss favours is then the network itself. */
async function caseOf(graph: Graph, head: string): Promise<Case> {
  const shape = (graph.inputs[0]?.shape ?? []).slice(1).map(Number);
  const random = createRandom(5, "examples");
  const values = Float32Array.from({ length: shape.reduce((x, y) => x * y, EXAMPLES) }, () =>
    random.normal(),
  );
  const inputs = { dtype: "f32", shape: [EXAMPLES, ...shape], data: values } as const;
  const weights = randomWeights(graph, 1);
  const last = weights.get(head) as Tensor;
  weights.set(head, { ...last, data: (last.data as Float32Array).map((x) => 8 * x) });
  const session = await engine.load(graph);
  const logits = [...(await session.run(new Map(weights).set("x", inputs))).values()][0] as Tensor;
  await session.release();
  const classes = logits.shape.at(-1) ?? 1;
  const labels = Int32Array.from({ length: EXAMPLES }, (_, n) => {
    const row = (logits.data as Float32Array).subarray(n * classes, (n + 1) * classes);
    return row.indexOf(Math.max(...row));
  });
  return {
    name: graph.name,
    graph,
    symmetries: await discoverSymmetries({ graph, engine }),
    data: createDataSet(inputs, labels, { name: "answers" }),
    a: createCheckpoint(weights),
    b: createCheckpoint(randomWeights(graph, 2)),
  };
}

/** A transformer whose tokens are averaged, so that there is one answer for each example. */
function pooledTransformer(): Graph {
  const graph = smallTransformer();
  const [output] = graph.outputs;
  const attributes = new Map([
    ["axes", { type: "ints", value: [1] } as const],
    ["keepdims", { type: "int", value: 0 } as const],
  ]);
  const pool = {
    name: "pool",
    op: "ReduceMean",
    domain: "",
    inputs: [output?.name ?? ""],
    outputs: ["logits"],
    attributes,
  };
  return { ...graph, nodes: [...graph.nodes, pool], outputs: [{ name: "logits" }] };
}

const cases = await Promise.all([
  caseOf(smallMlp(), "l2.weight"),
  caseOf(smallCnn(), "l1.weight"),
  caseOf(pooledTransformer(), "head.weight"),
]);
const [mlp] = cases as [Case, ...Case[]];

function optionsOf(method: MatchMethod, data: DataSet, seed = 0): MatchOptions {
  if (method === "weight") return { method, seed, restarts: 4 };
  if (method === "activation") return { method, seed, data, batchSize: 16 };
  if (method === "learned") return { method, seed, data, batchSize: 16, steps: 3 };
  return { method, seed, data, batchSize: 16, epochs: 2, restarts: 4 };
}

/** Methods whose whole result is a permutation. */
const PERMUTING = MATCH_METHODS.filter((method) => method !== "learned");

const run = (method: MatchMethod, own: Case, b: Checkpoint, seed?: number) =>
  match({ ...own, engine }, [own.a, b], optionsOf(method, own.data, seed));

const table = PERMUTING.flatMap((method) => cases.map((own) => ({ method, name: own.name, own })));

describe("match()", () => {
  test.each(table)("by $method undoes planted permutations of $name", async ({ method, own }) => {
    const { spec } = own.symmetries;
    for (let seed = 0; seed < 2; seed++) {
      const planted = permute(randomAlignment(spec, seed), own.a, spec);
      const { alignment, objective } = await run(method, own, planted);
      expect(await distance(own.a, permute(alignment, planted, spec))).toBe(0);
      expect(objective.after).toBeGreaterThanOrEqual(objective.before);
    }
  });

  test.each(table)("by $method leaves $name alone where it is aligned", async ({ method, own }) => {
    const { alignment, objective } = await run(method, own, own.a);
    expect(await distance(own.a, permute(alignment, own.a, own.symmetries.spec))).toBe(0);
    expect(objective.after).toBeCloseTo(objective.before, 5);
  });

  test.each(table)("by $method never changes what $name computes", async ({ method, own }) => {
    const { alignment, objective } = await run(method, own, own.b);
    const permuted = permute(alignment, own.b, own.symmetries.spec);
    const verified = await verifyAlignment({ graph: own.graph, engine }, [own.b, permuted], { seed: 3 });
    expect(verified.passed).toBe(true);
    expect(objective.after).toBeGreaterThanOrEqual(objective.before);
  });

  test.each(MATCH_METHODS)("by %s leaves alone what the graph does not read", async (method) => {
    const counts = { dtype: "i64", shape: [], data: BigInt64Array.of(7n) } as const;
    const counted = async (checkpoint: Checkpoint) =>
      createCheckpoint(new Map(await bindWeights(mlp.graph, checkpoint)).set("num_batches_tracked", counts));
    const [a, b] = await Promise.all([counted(mlp.a), counted(mlp.b)]);
    const { alignment } = await run(method, { ...mlp, a }, b);
    expect(alignment).toEqual((await run(method, mlp, mlp.b)).alignment);
  });

  test.each(MATCH_METHODS)("by %s gives the same for the same seed, and says which", async (method) => {
    const runs = [await run(method, mlp, mlp.b, 7), await run(method, mlp, mlp.b, 7)];
    // How long it took, and functions, are all that may differ.
    const [one, two] = runs.map((result) => ({ ...result, seconds: undefined, transform: undefined }));
    expect(one).toEqual(two);
    expect(one).toMatchObject({ method, seed: 7 });
  });

  test.each(MATCH_METHODS)(
    "by %s reports progress up to the end, and stops when it is told to",
    async (method) => {
      const seen: number[] = [];
      const options = optionsOf(method, mlp.data);
      await match({ ...mlp, engine }, [mlp.a, mlp.b], {
        ...options,
        onProgress: ({ done }) => seen.push(done),
      });
      expect(seen.every((done, i) => done >= (seen[i - 1] ?? 0) && done <= 1)).toBe(true);
      expect(seen.length).toBeGreaterThan(0);
      const stopped = match({ ...mlp, engine }, [mlp.a, mlp.b], { ...options, signal: AbortSignal.abort() });
      await expect(stopped).rejects.toMatchObject({ name: "AbortError" });
    },
  );

  test.each(MATCH_METHODS)("by %s refuses a network of another architecture", async (method) => {
    const other = createCheckpoint(randomWeights(smallCnn(), 1));
    await expect(run(method, mlp, other)).rejects.toMatchObject({ _tag: "MismatchError" });
  });

  test.each(["activation", "straight-through"] as const)(
    "by %s refuses options out of range and data that do not fit",
    async (method) => {
      const options = optionsOf(method, mlp.data);
      const broken = { ...options, examples: 0 } as MatchOptions;
      await expect(match({ ...mlp, engine }, [mlp.a, mlp.b], broken)).rejects.toThrow(RangeError);
      const wrong = { ...options, data: (cases[1] as Case).data } as MatchOptions;
      await expect(match({ ...mlp, engine }, [mlp.a, mlp.b], wrong)).rejects.toMatchObject({
        _tag: "InputError",
      });
    },
  );

  test("by straight-through is never worse half-way than weight matching", async () => {
    for (const own of cases) {
      const result = await run("straight-through", own, own.b);
      expect(result.method === "straight-through" && result.objective.after >= result.start).toBe(true);
    }
  });

  test("by straight-through leads rotations by gradients, and never changes what B computes", async () => {
    const { graph, symmetries, data, a, b } = cases[2] as Case;
    const linear = await discoverLinearSymmetries({ graph, engine }, symmetries);
    expect(linear.rotations.length).toBeGreaterThan(0);
    const options = { ...optionsOf("straight-through", data), rotations: linear.rotations } as MatchOptions;
    const forms = { spec: symmetries.spec, linear };
    const { found, network, move } = await matchNormalized([a, b], forms, ["rotation"], ([one, two]) =>
      match({ graph, engine, symmetries }, [one, two], options),
    );
    expect(found.method === "straight-through" && found.objective.after >= found.start).toBe(true);
    expect(await verifyAlignment({ graph, engine }, [b, network], { seed: 0 })).toMatchObject({
      passed: true,
    });
    expect(await distance(b, network)).toBeGreaterThan(1);
    expect(await distance(await move(b), network)).toBe(0);
    expect(await verifyAlignment({ graph, engine }, [a, await move(a)], { seed: 0 })).toMatchObject({
      passed: true,
    });
  });
});
