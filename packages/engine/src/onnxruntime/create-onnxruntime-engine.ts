import {
  allocateData,
  type DType,
  EngineError,
  resolveOptions,
  sizeOf,
  type Tensor,
  type TensorData,
} from "@isthmus/core";
import { type Engine, encodeGraph, type Graph, type LoadOptions, type Session } from "@isthmus/graph";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { blockConvolutions } from "./block-convolutions.ts";
import { defaultThreads } from "./default-threads.ts";
import { measureBlock } from "./measure-block.ts";
import { onnxruntime } from "./onnxruntime-node.ts";

const LOAD_DEFAULTS: Required<LoadOptions> = { threads: 0, optimize: true };

/**
 * Log level of onnxruntime that shows only errors, as its warnings about exported graphs are not useful here.
 */
const ERRORS_ONLY = 3;

/**
 * Returns the default engine: onnxruntime on the CPU, as shipped in the npm package `onnxruntime-node`.
 *
 * Results have the same bits on every run with the same number of threads. By default a run uses every core,
 * or as many threads as the variable `ISTHMUS_ENGINE_THREADS` states: 1 is fastest if several programs share
 * the cores.
 *
 * @example
 * ```ts
 * import assert from "node:assert/strict";
 * import { bindWeights, createOnnxRuntimeEngine, openDataSet, parseNetwork } from "isthmus";
 *
 * const data = await openDataSet("mnist:test@5");
 * const { graph, initialize } = parseNetwork("mlp:8", data);
 * const session = await createOnnxRuntimeEngine().load(graph);
 * const [input] = graph.inputs;
 * assert(input !== undefined);
 * const weights = await bindWeights(graph, initialize(0));
 * const feeds = new Map([...weights, [input.name, data.read(0, 5).inputs]]);
 * const [logits] = [...(await session.run(feeds)).values()];
 * assert.deepEqual(logits?.shape, [5, 10]);
 * await session.release();
 * ```
 */
export function createOnnxRuntimeEngine(): Engine {
  return { name: "onnxruntime", load };
}

async function load(graph: Graph, options: LoadOptions = {}): Promise<Session> {
  const { threads, optimize } = resolveOptions("load a graph", LOAD_DEFAULTS, options);
  const intraOpNumThreads = threads === 0 ? defaultThreads() : threads;
  let session: InferenceSession;
  try {
    const prepared = optimize ? blockConvolutions(graph, await measureBlock()) : graph;
    session = await onnxruntime.InferenceSession.create(encodeGraph(prepared), {
      executionProviders: ["cpu"],
      graphOptimizationLevel: optimize ? "all" : "disabled",
      intraOpNumThreads,
      interOpNumThreads: 1,
      executionMode: "sequential",
      logSeverityLevel: ERRORS_ONLY,
    });
  } catch (cause) {
    throw new EngineError(`Cannot load graph "${graph.name}" into onnxruntime: ${(cause as Error).message}`, {
      engine: "onnxruntime",
      cause,
    });
  }
  return new OnnxRuntimeSession(graph, session);
}

class OnnxRuntimeSession implements Session {
  readonly #graph: Graph;
  readonly #session: InferenceSession;
  #isReleased = false;

  constructor(graph: Graph, session: InferenceSession) {
    this.#graph = graph;
    this.#session = session;
  }

  async run(
    feeds: ReadonlyMap<string, Tensor>,
    out: ReadonlyMap<string, Tensor> = new Map(),
  ): Promise<Map<string, Tensor>> {
    const inputs: Record<string, ReturnType<typeof toOrtTensor>> = {};
    for (const name of this.#session.inputNames) {
      const tensor = feeds.get(name);
      if (tensor === undefined) {
        throw new EngineError(
          `Cannot run graph "${this.#graph.name}" as it needs a tensor for input "${name}"`,
          {
            engine: "onnxruntime",
          },
        );
      }
      inputs[name] = toOrtTensor(name, tensor);
    }
    const fetches: Record<string, ReturnType<typeof toOrtTensor> | null> = {};
    for (const { name } of this.#graph.outputs) {
      const target = out.get(name);
      fetches[name] = target === undefined ? null : toOrtTensor(name, target);
    }
    return this.#collect(await this.#fetch(inputs, fetches), out);
  }

  async #fetch(
    inputs: InferenceSession.FeedsType,
    fetches: InferenceSession.FetchesType,
  ): Promise<InferenceSession.ReturnType> {
    try {
      return await this.#session.run(inputs, fetches);
    } catch (cause) {
      throw new EngineError(
        `Cannot run graph "${this.#graph.name}" on onnxruntime: ${(cause as Error).message}`,
        {
          engine: "onnxruntime",
          cause,
        },
      );
    }
  }

  #collect(results: InferenceSession.ReturnType, out: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    for (const { name } of this.#graph.outputs) {
      const result = results[name];
      // For a preallocated output onnxruntime returns another view; the caller's tensor is already filled.
      const tensor = out.get(name) ?? (result === undefined ? undefined : fromOrtTensor(name, result));
      if (tensor !== undefined) tensors.set(name, tensor);
    }
    return tensors;
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    await this.#session.release();
  }
}

/** Names of element types in onnxruntime; types it cannot exchange are missing. */
const ORT_TYPES: Readonly<Partial<Record<DType, OrtTensor.Type>>> = {
  f64: "float64",
  f32: "float32",
  f16: "float16",
  i64: "int64",
  i32: "int32",
  i16: "int16",
  i8: "int8",
  u64: "uint64",
  u32: "uint32",
  u16: "uint16",
  u8: "uint8",
  bool: "bool",
};

const DTYPE_OF_TYPE: ReadonlyMap<string, DType> = new Map(
  Object.entries(ORT_TYPES).map(([dtype, type]) => [type, dtype as DType]),
);

/**
 * Converts a tensor to one of onnxruntime, which shares memory with it.
 * @throws EngineError if onnxruntime cannot exchange its element type
 */
function toOrtTensor(name: string, tensor: Tensor): OrtTensor {
  const type = ORT_TYPES[tensor.dtype];
  if (type === undefined) {
    throw new EngineError(
      `Cannot feed "${name}" to onnxruntime as it must be of a type that onnxruntime exchanges: it is ${tensor.dtype}, convert it to f32`,
      { engine: "onnxruntime" },
    );
  }
  return new onnxruntime.Tensor(type, tensor.data as OrtTensor.DataType, tensor.shape);
}

/** Converts a tensor of onnxruntime to one of Isthmus, which shares memory with it. */
function fromOrtTensor(name: string, tensor: OrtTensor): Tensor {
  const dtype = DTYPE_OF_TYPE.get(tensor.type);
  if (dtype === undefined) {
    throw new EngineError(
      `Cannot use output "${name}" of onnxruntime as it must be numeric: it is ${tensor.type}`,
      {
        engine: "onnxruntime",
      },
    );
  }
  // An empty output has no data.
  const data = sizeOf(tensor.dims) === 0 ? allocateData(dtype, 0) : (tensor.data as TensorData);
  return { dtype, shape: tensor.dims, data };
}
