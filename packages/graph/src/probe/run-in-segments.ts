import { at, type Checkpoint, entry, sameShape, sizeOf, type Tensor, type TensorInfo } from "@isthmus/core";
import { handleEvents } from "@isthmus/platform";
import type { Architecture } from "../architecture.ts";
import { assertBindable, bindWeight } from "../ir/bind-weights.ts";
import { capturedNames } from "../ir/captured-names.ts";
import { extractSubgraph } from "../ir/extract-subgraph.ts";
import type { Graph, Node } from "../ir/graph.ts";
import { sequenceValues } from "../ir/sequence-values.ts";
import { probeGraph } from "./probe-graph.ts";

/** Bytes of computed values at which a segment ends. */
const SEGMENT_BYTES = 2 ** 25;

/** Bytes of visited values after which a signal may arrive. */
const VISITED_BYTES = 2 ** 24;

/** Most bytes of freed memory that are kept for later values. */
const FREED_BYTES = 2 ** 28;

/** Number of elements from which the memory of a value is kept. */
const POOLED = 2 ** 10;

/** Largest factor by which kept memory may exceed what is asked for. */
const SLACK = 2;

/** Networks that {@link runInSegments} runs side by side, and what they are fed. */
export interface SegmentedRun {
  /**
   * Data inputs of the graph. For another batch than that of its probe, the engine allocates each value
   * anew, which is slower.
   */
  readonly inputs: ReadonlyMap<string, Tensor>;
  /** Networks of the graph; a weight is read when the segment that reads it is run. */
  readonly networks: readonly Checkpoint[];
  /** Bytes of computed values of one network at which a segment ends. @defaultValue 32 MiB */
  readonly segmentBytes?: number;
  /** Signal that stops the run between two segments, or between two visits. @defaultValue never stopped */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Runs a graph without optimization for several networks side by side, and visits every tensor that its nodes
 * compute. The graph is run segment by segment, and values are dropped once no later node reads them, so that
 * neither all values nor all weights are in memory at once.
 *
 * @param visit - called with the name of each value, in the order of computation, and its tensor in each
 *   network; tensors are filled with later values after the call
 * @throws MismatchError if a network does not fit the graph
 * @throws EngineError if the engine cannot run the graph
 */
export async function runInSegments(
  { graph, engine }: Pick<Architecture, "graph" | "engine">,
  { inputs, networks, segmentBytes = SEGMENT_BYTES, signal }: SegmentedRun,
  visit: (value: string, tensors: readonly Tensor[]) => void,
): Promise<void> {
  for (const network of networks) assertBindable(graph, network);
  const { types } = await probeGraph({ graph, engine }, { signal });
  const isOfProbe = [...inputs].every(([name, { shape }]) =>
    sameShape(shape, entry(types, name, "input").shape),
  );
  const live = networks.map(() => new Map(inputs));
  const memory = new FreedMemory();
  for (const { part, last } of cutGraph(graph, types, segmentBytes)) {
    const session = await engine.load(part, { optimize: false });
    try {
      const results: ReadonlyMap<string, Tensor>[] = [];
      for (const [index, network] of networks.entries()) {
        signal?.throwIfAborted();
        const weights = await readWeights(part, network, memory);
        const values = valuesFed(part, at(live, index, "network"));
        const out = isOfProbe ? memory.take(part.outputs, types) : undefined;
        results.push(await session.run(new Map([...values, ...weights]), out));
        memory.addAll(weights, [...weights.keys()]);
      }
      await visitAll(part.outputs, results, visit, signal);
      for (const [index, values] of results.entries()) {
        const ofNetwork = at(live, index, "network");
        for (const [name, tensor] of values) ofNetwork.set(name, tensor);
        memory.addAll(
          ofNetwork,
          last.filter((name) => !inputs.has(name)),
        );
      }
    } finally {
      await session.release();
    }
  }
}

/** Visits the values of a segment; a signal is noticed between two values, not only between two runs. */
async function visitAll(
  outputs: Graph["outputs"],
  results: readonly ReadonlyMap<string, Tensor>[],
  visit: (value: string, tensors: readonly Tensor[]) => void,
  signal: AbortSignal | undefined,
): Promise<void> {
  let bytes = 0;
  for (const { name } of outputs) {
    const tensors = results.map((values) => entry(values, name, "value"));
    visit(name, tensors);
    for (const { data } of tensors) bytes += data.byteLength;
    if (bytes < VISITED_BYTES) continue;
    bytes = 0;
    await handleEvents();
    signal?.throwIfAborted();
  }
}

/**
 * Memory of values that no later node reads, in which later values of about the same size are written: memory
 * that is new to the process has to be cleared first.
 */
class FreedMemory {
  /** Freed arrays, the one that was freed first in front. */
  readonly #freed: Float32Array[] = [];
  /** Memory that was allocated here: no other may be written to. */
  readonly #own = new WeakSet<ArrayBufferLike>();
  #bytes = 0;

  /** Takes tensors out of a map, and keeps their memory. */
  addAll(tensors: Map<string, Tensor>, names: readonly string[]): void {
    for (const name of names) {
      const data = tensors.get(name)?.data;
      tensors.delete(name);
      if (!(data instanceof Float32Array) || data.length < POOLED || !this.#own.has(data.buffer)) continue;
      const whole = new Float32Array(data.buffer);
      this.#bytes += whole.byteLength;
      this.#freed.push(whole);
    }
    while (this.#bytes > FREED_BYTES) this.#bytes -= this.#freed.shift()?.byteLength ?? 0;
  }

  /** Hands out tensors for all values of 32-bit floating-point numbers. */
  take(
    values: readonly { readonly name: string }[],
    types: ReadonlyMap<string, TensorInfo>,
  ): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    for (const { name } of values) {
      const { dtype, shape } = entry(types, name, "value");
      if (dtype === "f32") tensors.set(name, { dtype, shape, data: this.#allocate(sizeOf(shape)) });
    }
    return tensors;
  }

  /** Returns the smallest freed array that is large enough and not much too large, or else a new one. */
  #allocate(length: number): Float32Array {
    let best = -1;
    let bestLength = SLACK * length + 1;
    for (const [index, freed] of this.#freed.entries()) {
      if (freed.length < length || freed.length >= bestLength) continue;
      [best, bestLength] = [index, freed.length];
      if (bestLength === length) break;
    }
    const [freed] = best < 0 ? [] : this.#freed.splice(best, 1);
    if (freed !== undefined) {
      this.#bytes -= freed.byteLength;
      return freed.subarray(0, length);
    }
    const allocated = new Float32Array(length);
    this.#own.add(allocated.buffer);
    return allocated;
  }
}

/** Collects the values of earlier segments that a segment is fed. */
function valuesFed({ inputs }: Graph, live: ReadonlyMap<string, Tensor>): [name: string, value: Tensor][] {
  return inputs.map(({ name }) => [name, entry(live, name, "value")]);
}

/** Reads the weights that a segment is fed, into freed memory if they are stored as the graph computes. */
async function readWeights(
  { weights }: Graph,
  network: Checkpoint,
  memory: FreedMemory,
): Promise<Map<string, Tensor>> {
  const stored = [...weights].filter(([name, { dtype }]) => network.tensors.get(name)?.dtype === dtype);
  const tensors = memory.take(
    stored.map(([name]) => ({ name })),
    weights,
  );
  for (const [name, info] of weights) {
    const tensor = tensors.get(name);
    if (tensor === undefined) tensors.set(name, await bindWeight(network, name, info));
    else await network.readRangeInto(name, 0, tensor.data);
  }
  return tensors;
}

/** Some consecutive nodes of a graph. */
interface Segment {
  /** Graph of these nodes alone, whose outputs are all their values. */
  readonly part: Graph;
  /** Values that no later segment reads. */
  readonly last: readonly string[];
}

/** Cuts a graph into segments; a sequence of tensors cannot be fed, so that no cut divides its uses. */
function cutGraph(graph: Graph, types: ReadonlyMap<string, TensorInfo>, segmentBytes: number): Segment[] {
  const sequences = sequenceValues(graph);
  const lastUse = new Map<string, number>();
  graph.nodes.forEach((node, place) => {
    for (const name of [...node.outputs, ...namesRead(node)]) lastUse.set(name, place);
  });
  const segments: Segment[] = [];
  let begin = 0;
  let bytes = 0;
  let sequenceEnd = -1;
  graph.nodes.forEach((node, place) => {
    for (const name of node.outputs) {
      bytes += 4 * sizeOf(types.get(name)?.shape ?? [0]);
      if (sequences.has(name)) sequenceEnd = Math.max(sequenceEnd, lastUse.get(name) ?? place);
    }
    const isLast = place === graph.nodes.length - 1;
    if (!isLast && (bytes < segmentBytes || place < sequenceEnd)) return;
    const nodes = graph.nodes.slice(begin, place + 1);
    const last = [...lastUse].flatMap(([name, use]) => (use >= begin && use <= place ? [name] : []));
    segments.push({ part: segmentOf(graph, nodes, { types, sequences }), last });
    begin = place + 1;
    bytes = 0;
  });
  return segments;
}

function segmentOf(
  graph: Graph,
  nodes: readonly Node[],
  {
    types,
    sequences,
  }: { readonly types: ReadonlyMap<string, TensorInfo>; readonly sequences: ReadonlySet<string> },
): Graph {
  const computed = new Set(nodes.flatMap(({ outputs }) => outputs));
  const earlier = new Set(graph.nodes.flatMap(({ outputs }) => outputs));
  const fed = new Set(
    nodes.flatMap((node) => namesRead(node).filter((name) => !computed.has(name) && earlier.has(name))),
  );
  fed.delete("");
  const values = [...computed].filter((name) => name !== "" && !sequences.has(name));
  const inputs = [...fed].map((name) => ({ name, dtype: entry(types, name, "value").dtype }));
  return extractSubgraph({ ...graph, nodes }, inputs, values);
}

function namesRead(node: Node): string[] {
  return [...node.inputs, ...capturedNames(node)];
}
