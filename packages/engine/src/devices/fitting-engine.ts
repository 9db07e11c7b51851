import {
  allocateData,
  createTensor,
  EngineError,
  messageOf,
  sizeOf,
  type Tensor,
  UnsupportedError,
} from "@isthmus/core";
import {
  type DeviceMemory,
  type Engine,
  type Graph,
  type LoadOptions,
  type Session,
  specialize,
} from "@isthmus/graph";
import { limitIn } from "./describe-failure.ts";
import { type SplitGraph, splitLargeValues } from "./split/split-large-values.ts";
import { splitCarried, splitSession } from "./split/split-session.ts";

type Tensors = ReadonlyMap<string, Tensor>;

/**
 * Returns an engine on a device that divides tensors which the device refuses as too large: after the first
 * refusal, which names the limit, the graph is loaded anew with its values in parts. If they cannot be
 * divided, the error says which one and why.
 * @param processor - engine that finds the shapes of a graph's values
 */
export function fittingEngine(engine: Engine, processor: Engine): Engine {
  return {
    get name() {
      return engine.name;
    },
    note: engine.note,
    async load(graph, options = {}) {
      return new FittingSession({ engine, processor, graph, options }, await engine.load(graph, options));
    },
  };
}

/** A graph, and what loads it. */
interface Loading {
  readonly engine: Engine;
  readonly processor: Engine;
  readonly graph: Graph;
  readonly options: LoadOptions;
}

class FittingSession implements Session {
  readonly memory?: DeviceMemory;
  readonly #loading: Loading;
  #session: Session;
  /** Tensors that lie on the device, by their names: their element types and shapes. */
  readonly #held = new Map<string, Pick<Tensor, "dtype" | "shape">>();
  /** Limit that values were divided for, and the shapes of examples if the division depends on them. */
  #divided: { readonly limit: number; readonly shapes: string } | undefined;

  constructor(loading: Loading, session: Session) {
    this.#loading = loading;
    this.#session = session;
    if (session.memory === undefined) return;
    this.memory = {
      hold: async (tensors) => {
        await this.#fit(new Map(), () => this.#memory.hold(tensors));
        for (const [name, { dtype, shape }] of tensors) this.#held.set(name, { dtype, shape });
      },
      readInto: (tensors) => this.#memory.readInto(tensors),
    };
  }

  get #memory(): DeviceMemory {
    const { memory } = this.#session;
    if (memory !== undefined) return memory;
    throw new TypeError("Cannot hold tensors as the session in parts must have memory if the whole one had");
  }

  async run(feeds: Tensors, out?: Tensors): Promise<Map<string, Tensor>> {
    const { graph } = this.#loading;
    if (this.#divided !== undefined && this.#divided.shapes !== shapesOf(graph, feeds))
      await this.#divide(this.#divided.limit, feeds);
    return this.#fit(feeds, () => this.#session.run(feeds, out));
  }

  /** Does work, and again in parts if a tensor was too large. */
  async #fit<T>(feeds: Tensors, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      const limit = limitIn(messageOf((error as Error).cause ?? error));
      // Parts that are refused again are not made smaller, as the device's memory is full.
      if (limit === undefined || this.#divided?.limit === limit) throw error;
      try {
        await this.#divide(limit, feeds);
      } catch (refusal) {
        if (!(refusal instanceof UnsupportedError)) throw refusal;
        const { name: engine } = this.#loading.engine;
        throw new EngineError(`${messageOf(error)}. ${refusal.message}`, {
          engine,
          lacksMemory: true,
          cause: error,
        });
      }
      return work();
    }
  }

  async #divide(limit: number, feeds: Tensors): Promise<void> {
    const { engine, graph, options } = this.#loading;
    const { graph: split, tensors } = await this.#splitFor(limit, feeds);
    const held = new Map(
      [...this.#held].map(([name, { dtype, shape }]) => [
        name,
        createTensor(dtype, shape, allocateData(dtype, sizeOf(shape))),
      ]),
    );
    if (held.size > 0) await this.#memory.readInto(held);
    await this.#session.release();
    const carried = splitCarried(options.carried, tensors);
    const session = await engine.load(split, { ...options, ...(options.carried && { carried }) });
    this.#session = splitSession(session, tensors);
    this.#divided = { limit, shapes: shapesOf(graph, feeds) };
    if (held.size > 0) await this.#memory.hold(held);
  }

  async #splitFor(limit: number, feeds: Tensors): Promise<SplitGraph> {
    const { graph, processor } = this.#loading;
    if (graph.types !== undefined && hasConcreteInputs(graph)) return splitLargeValues(graph, limit);
    const typed = await specialize({ graph, engine: processor }, extentsOf(graph, feeds));
    return splitLargeValues(typed, limit);
  }

  release(): Promise<void> {
    return this.#session.release();
  }
}

const hasConcreteInputs = ({ inputs }: Graph): boolean =>
  inputs.every(({ shape }) => shape?.every((extent) => typeof extent === "number"));

/** Returns the shapes of examples, if the graph takes several. */
function shapesOf(graph: Graph, feeds: Tensors): string {
  if (hasConcreteInputs(graph)) return "";
  return JSON.stringify(graph.inputs.map(({ name }) => feeds.get(name)?.shape));
}

/** Returns the batch and the other symbolic extents of examples. */
function extentsOf(
  { inputs }: Graph,
  feeds: Tensors,
): { readonly batch: number; readonly extents: Readonly<Record<string, number>> } {
  const extents: Record<string, number> = {};
  let batch = 1;
  for (const { name, shape = [] } of inputs) {
    const fed = feeds.get(name)?.shape ?? [];
    for (const [axis, extent] of shape.entries()) {
      if (typeof extent === "string" && fed[axis] !== undefined) extents[extent] = fed[axis];
      if (axis === 0 && fed[0] !== undefined) batch = fed[0];
    }
  }
  return { batch, extents };
}
