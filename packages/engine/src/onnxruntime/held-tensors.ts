import { EngineError, entry, type Tensor } from "@isthmus/core";
import { type DeviceMemory, encodeGraph, type Graph } from "@isthmus/graph";
import type { Tensor as OrtTensor } from "onnxruntime-node";
import { describeFailure } from "../devices/describe-failure.ts";
import type { Runtime, RuntimeSession } from "./runtime.ts";
import { dtypeOf, fromOrtTensor, toOrtTensor } from "./runtime-tensors.ts";

/**
 * Tensors of a session that lie in the memory of a device. `getData()` of such a tensor ends the process, so
 * that copies in both directions are runs of a graph of identities: with outputs on the device, or without.
 */
export class HeldTensors implements DeviceMemory {
  readonly #runtime: Runtime;
  readonly #held = new Map<string, OrtTensor>();
  readonly #copying = new Map<string, Promise<RuntimeSession>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Returns the tensor that a run takes for an input; undefined if none is held. */
  get(input: string): OrtTensor | undefined {
    return this.#held.get(input);
  }

  /** Puts outputs of a run in the places of the inputs that take them next. */
  replace(outputs: ReadonlyMap<string, OrtTensor>): void {
    for (const [input, tensor] of outputs) {
      this.#held.get(input)?.dispose();
      this.#held.set(input, tensor);
    }
  }

  async hold(tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    if (tensors.size === 0) return;
    const fed = new Map(
      [...tensors].map(([name, tensor]) => [name, toOrtTensor(this.#runtime, name, tensor)]),
    );
    this.replace(await this.#copy(fed, true));
  }

  async readInto(tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    if (tensors.size === 0) return;
    const held = new Map([...tensors.keys()].map((name) => [name, this.#assertHeld(name)]));
    for (const [name, copy] of await this.#copy(held, false)) {
      const { data } = fromOrtTensor(this.#runtime, name, copy);
      entry(tensors, name, "tensor").data.set(data as never);
    }
  }

  /** Frees all tensors. */
  async release(): Promise<void> {
    for (const tensor of this.#held.values()) tensor.dispose();
    this.#held.clear();
    for (const session of this.#copying.values()) await (await session).release();
    this.#copying.clear();
  }

  #assertHeld(name: string): OrtTensor {
    const tensor = this.#held.get(name);
    if (tensor !== undefined) return tensor;
    const { engine } = this.#runtime;
    throw new EngineError(`Cannot read "${name}" from ${engine} as it must lie there: no run has left it`, {
      engine,
    });
  }

  async #copy(tensors: ReadonlyMap<string, OrtTensor>, toDevice: boolean): Promise<Map<string, OrtTensor>> {
    const { engine } = this.#runtime;
    const names = [...tensors.keys()];
    const graph = copyGraph(this.#runtime, tensors);
    try {
      const session = await this.#openCopy(graph, toDevice);
      const fetches = Object.fromEntries(names.map((name) => [copyOf(name), null]));
      const outputs = new Map(Object.entries(await session.run(Object.fromEntries(tensors), fetches)));
      return new Map(names.map((name) => [name, entry(outputs, copyOf(name), "copy")]));
    } catch (cause) {
      const where = toDevice ? "to" : "from";
      throw new EngineError(
        `Cannot copy ${names.length} tensors ${where} ${engine}: ${describeFailure(graph, (cause as Error).message)}`,
        { engine, cause },
      );
    }
  }

  /** Opens the session that copies tensors of these names and shapes; it is kept, as they are copied again. */
  async #openCopy(graph: Graph, toDevice: boolean): Promise<RuntimeSession> {
    const key = JSON.stringify([toDevice, graph.inputs]);
    const session =
      this.#copying.get(key) ??
      this.#runtime.open(encodeGraph(graph), {
        threads: 1,
        optimize: false,
        onDevice: toDevice ? graph.outputs.map(({ name }) => name) : [],
      });
    this.#copying.set(key, session);
    return session;
  }
}

function copyOf(name: string): string {
  return `${name}:copy`;
}

function copyGraph(runtime: Runtime, tensors: ReadonlyMap<string, OrtTensor>): Graph {
  const infos = [...tensors].map(([name, tensor]) => {
    return { name, dtype: dtypeOf(runtime, name, tensor), shape: tensor.dims };
  });
  return {
    name: "copy",
    opsets: new Map([["", 17]]),
    inputs: infos,
    weights: new Map(),
    constants: new Map(),
    nodes: infos.map(({ name }) => ({
      name: copyOf(name),
      op: "Identity",
      domain: "",
      inputs: [name],
      outputs: [copyOf(name)],
      attributes: new Map(),
    })),
    types: new Map(infos.map(({ name, ...info }) => [name, info])),
    outputs: infos.map(({ name, ...info }) => ({ name: copyOf(name), ...info })),
  };
}
