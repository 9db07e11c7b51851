import { type DType, EngineError, messageOf, resolveOptions, type Tensor } from "@isthmus/core";
import { type Engine, encodeGraph, type Graph, type LoadOptions, type Session } from "@isthmus/graph";
import type { InferenceSession, Tensor as OrtTensor } from "onnxruntime-node";
import { describeFailure, saysMemoryIsFull } from "../devices/describe-failure.ts";
import { fitToDevice } from "../devices/fit-to-device.ts";
import { fillOutput } from "../fill-output.ts";
import { blockConvolutions } from "./block-convolutions.ts";
import { fuseNodes } from "./fuse-nodes.ts";
import { HeldTensors, LeftTensors, leftTensor } from "./held-tensors.ts";
import { measureBlock } from "./measure-block.ts";
import type { Runtime, RuntimeSession } from "./runtime.ts";
import { fromOrtTensor, toOrtTensor } from "./runtime-tensors.ts";

const LOAD_DEFAULTS: Required<LoadOptions> = {
  threads: 0,
  optimize: true,
  carried: new Map(),
  staying: new Set(),
};

/** Element types of tensors that can stay on a device; nodes of others run on the processor. */
const KEPT: ReadonlySet<DType> = new Set(["f32", "f16", "i64", "i32", "u8", "bool"]);

/** Creates the engine that runs graphs on a build of onnxruntime. */
export function createRuntimeEngine(runtime: Runtime): Engine {
  return { name: runtime.engine, load: (graph, options = {}) => load(runtime, graph, options) };
}

async function load(runtime: Runtime, graph: Graph, options: LoadOptions): Promise<Session> {
  const { carried, staying, ...resolved } = resolveOptions("load a graph", LOAD_DEFAULTS, options);
  const inputs = [...graph.inputs, ...graph.weights.values()];
  const keeps = runtime.keepsOutputs && inputs.every(({ dtype = "f32" }) => KEPT.has(dtype));
  const kept: Loaded["kept"] = keeps ? { carried, staying } : undefined;
  let session: RuntimeSession;
  try {
    const prepared = resolved.optimize ? await prepare(runtime, graph) : graph;
    const placed = { onDevice: keeps ? [...carried.keys(), ...staying] : [], name: graph.name };
    session = await runtime.open(encodeGraph(prepared), { ...resolved, ...placed });
  } catch (cause) {
    const { engine } = runtime;
    const reason = reasonOf(runtime, graph, cause);
    throw new EngineError(`Cannot load graph "${graph.name}" into ${engine}: ${reason}`, { engine, cause });
  }
  return new OnnxRuntimeSession({ runtime, graph, session, kept });
}

/** Says why a run or a load failed; for a device other than the processor, how to go on, too. */
function reasonOf({ device }: Runtime, graph: Graph, cause: unknown): string {
  const { message } = cause as Error;
  return device === undefined ? message : describeFailure(graph, message);
}

async function prepare(runtime: Runtime, graph: Graph): Promise<Graph> {
  if (runtime.device !== undefined) return fitToDevice(graph);
  return blockConvolutions(await fuseNodes(runtime, graph), await measureBlock(runtime));
}

/** A loaded graph. */
interface Loaded {
  readonly runtime: Runtime;
  readonly graph: Graph;
  readonly session: RuntimeSession;
  /**
   * Outputs that stay on the device: with the inputs that take them next, and for other sessions; undefined if
   * no tensors can stay there.
   */
  readonly kept: Pick<Required<LoadOptions>, "carried" | "staying"> | undefined;
}

class OnnxRuntimeSession implements Session {
  readonly memory?: HeldTensors;
  readonly #runtime: Runtime;
  readonly #graph: Graph;
  readonly #session: RuntimeSession;
  readonly #kept: NonNullable<Loaded["kept"]>;
  readonly #left = new LeftTensors();
  #isReleased = false;

  constructor({ runtime, graph, session, kept }: Loaded) {
    this.#runtime = runtime;
    this.#graph = graph;
    this.#session = session;
    this.#kept = kept ?? { carried: new Map(), staying: new Set() };
    if (kept !== undefined) this.memory = new HeldTensors(runtime);
  }

  async run(
    feeds: ReadonlyMap<string, Tensor>,
    out: ReadonlyMap<string, Tensor> = new Map(),
  ): Promise<Map<string, Tensor>> {
    const inputs: Record<string, OrtTensor> = {};
    for (const name of this.#session.inputNames) {
      const fed = feeds.get(name);
      const tensor = fed === undefined ? this.memory?.get(name) : this.#feed(name, fed);
      if (tensor === undefined) this.#fail(`it needs a tensor for input "${name}"`);
      inputs[name] = tensor;
    }
    const fetches: Record<string, OrtTensor | null> = {};
    for (const { name } of this.#graph.outputs) {
      const target = this.#runtime.fillsOutputs ? out.get(name) : undefined;
      fetches[name] = target === undefined ? null : toOrtTensor(this.#runtime, name, target);
    }
    return this.#collect(await this.#fetch(inputs, fetches), out);
  }

  #feed(name: string, tensor: Tensor): OrtTensor {
    const left = this.#runtime.keepsOutputs ? leftTensor(tensor) : undefined;
    return left ?? toOrtTensor(this.#runtime, name, tensor);
  }

  async #fetch(
    inputs: InferenceSession.FeedsType,
    fetches: InferenceSession.NullableOnnxValueMapType,
  ): Promise<InferenceSession.ReturnType> {
    try {
      return await this.#session.run(inputs, fetches);
    } catch (cause) {
      const { engine } = this.#runtime;
      const reason = reasonOf(this.#runtime, this.#graph, cause);
      throw new EngineError(`Cannot run graph "${this.#graph.name}" on ${engine}: ${reason}`, {
        engine,
        lacksMemory: saysMemoryIsFull(messageOf(cause)),
        cause,
      });
    }
  }

  #collect(results: InferenceSession.ReturnType, out: ReadonlyMap<string, Tensor>): Map<string, Tensor> {
    const tensors = new Map<string, Tensor>();
    const left = new Map<string, OrtTensor>();
    for (const { name } of this.#graph.outputs) {
      const result = results[name];
      const input = this.#kept.carried.get(name);
      const target = out.get(name);
      if (result !== undefined && input !== undefined) left.set(input, result);
      // A filled output comes back as another view; the caller's tensor holds it already.
      else if (this.#runtime.fillsOutputs && target !== undefined) tensors.set(name, target);
      else if (result !== undefined) tensors.set(name, this.#take(name, result, target));
    }
    this.memory?.replace(left);
    return tensors;
  }

  /** Returns the tensor of an output, into which it is copied if it does not stay on the device. */
  #take(name: string, result: OrtTensor, target: Tensor | undefined): Tensor {
    if (!this.#kept.staying.has(name)) {
      const computed = fromOrtTensor(this.#runtime, name, result);
      return fillOutput(name, computed, target, (reason) => this.#fail(reason));
    }
    if (target === undefined) this.#fail(`output "${name}" stays on the device: give a tensor for it`);
    this.#left.leave(target, result);
    return target;
  }

  #fail(reason: string): never {
    const { engine } = this.#runtime;
    throw new EngineError(`Cannot run graph "${this.#graph.name}" as ${reason}`, { engine });
  }

  async release(): Promise<void> {
    if (this.#isReleased) return;
    this.#isReleased = true;
    this.#left.release();
    await this.memory?.release();
    await this.#session.release();
  }
}
