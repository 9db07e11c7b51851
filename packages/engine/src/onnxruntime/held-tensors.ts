import { EngineError, entry, type Tensor } from "@isthmus/core";
import { type DeviceMemory, encodeGraph, type Graph } from "@isthmus/graph";
import type { Tensor as OrtTensor } from "onnxruntime-node";
import { describeFailure } from "../devices/describe-failure.ts";
import type { Runtime, RuntimeSession } from "./runtime.ts";
import { dtypeOf, fromOrtTensor, toOrtTensor } from "./runtime-tensors.ts";

/** Tensors that lie on a device, by the tensors that stand for them. */
const LEFT = new WeakMap<Tensor, OrtTensor>();

/** Returns the tensor on a device that a tensor stands for; undefined if it stands for its own data. */
export function leftTensor(tensor: Tensor): OrtTensor | undefined {
  return LEFT.get(tensor);
}

/** Outputs of a session that other sessions take from the memory of the device. */
export class LeftTensors {
  readonly #standing = new Set<Tensor>();

  /** Lets a tensor stand for an output of a run, in place of the one of the run before. */
  leave(standing: Tensor, output: OrtTensor): void {
    LEFT.get(standing)?.dispose();
    LEFT.set(standing, output);
    this.#standing.add(standing);
  }

  /** Frees all outputs. */
  release(): void {
    for (const standing of this.#standing) {
      LEFT.get(standing)?.dispose();
      LEFT.delete(standing);
    }
    this.#standing.clear();
  }
}

/**
 * Tensors of a session that lie in the memory of a device. `getData()` of such a tensor ends the process, so
 * that copies in both directions are runs of a graph of identities: with outputs on the device, or without.
 */
export class HeldTensors implements DeviceMemory {
  readonly #runtime: Runtime;
  readonly #held = new Map<string, OrtTensor>();
  /** Tensors that stand for outputs of other sessions, by the inputs that take them. */
  readonly #standing = new Map<string, Tensor>();
  readonly #copying = new Map<string, Promise<RuntimeSession>>();

  constructor(runtime: Runtime) {
    this.#runtime = runtime;
  }

  /** Returns the tensor that a run takes for an input; undefined if none is held. */
  get(input: string): OrtTensor | undefined {
    const standing = this.#standing.get(input);
    return standing === undefined ? this.#held.get(input) : leftTensor(standing);
  }

  /** Puts outputs of a run in the places of the inputs that take them next. */
  replace(outputs: ReadonlyMap<string, OrtTensor>): void {
    for (const [input, tensor] of outputs) {
      this.#held.get(input)?.dispose();
      this.#held.set(input, tensor);
    }
  }

  async hold(tensors: ReadonlyMap<string, Tensor>): Promise<void> {
    const fed = new Map<string, OrtTensor>();
    for (const [name, tensor] of tensors) {
      if (leftTensor(tensor) === undefined) {
        this.#standing.delete(name);
        fed.set(name, toOrtTensor(this.#runtime, name, tensor));
      } else this.#standing.set(name, tensor);
    }
    if (fed.size > 0) this.replace(await this.#copy(fed, true));
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
    this.#standing.clear();
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

  /** Opens the session that copies tensors of given names and shapes, or returns the one that is open. */
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
