import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { at, entry } from "../../invariant.ts";
import { DTYPES, type DType } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { convertedReader } from "../pieces/converted-reader.ts";
import { defineJoinedCheckpoint, type JoinedTensor } from "../pieces/define-joined-checkpoint.ts";
import { openTogether } from "../pieces/open-together.ts";
import type { ReadPart } from "../pieces/piece.ts";
import { type Part, readInSequence } from "../pieces/read-in-sequence.ts";
import type { TorchTensor } from "../torch/tensors.ts";
import {
  findZeroFiles,
  type ModelState,
  type OptimizerState,
  readModelState,
  readOptimizers,
  zeroError,
} from "./zero-state.ts";

/**
 * Opens a folder `global_stepN` in which DeepSpeed stored a run with ZeRO, of stage 1, 2 or 3: the weights in
 * f32 that the optimizers of all processes held, as `zero_to_fp32.py` gives them, with frozen parameters,
 * buffers and shared parameters. The moments of the optimizer are not read, and no code in the files is run.
 * @throws InputError if the file of a process is missing
 * @throws FormatError if a file is damaged, or parts do not make up the parameters
 * @throws UnsupportedError if the model was split into experts, stages or slices
 */
export async function openZero(folder: string, names: readonly string[]): Promise<Checkpoint> {
  const files = findZeroFiles(folder, names);
  const all = [...files.models, ...files.optimizers];
  return openTogether({ format: "zero", folder, names: all }, async (sources) => {
    const optimizers = await readOptimizers(folder, files.optimizers, sources);
    const models: ModelState[] = [];
    for (const name of files.models) models.push(await readModelState(entry(sources, name, "file")));
    return defineJoinedCheckpoint({
      format: "zero",
      source: folder,
      tensors: new Joiner(optimizers, models).join(),
      files: [...sources.values()].map((source) => source.name),
      close: async () => {
        for (const source of sources.values()) await source.close();
      },
    });
  });
}

class Joiner {
  readonly #optimizers: readonly OptimizerState[];
  readonly #models: readonly ModelState[];
  readonly #model: ModelState;
  readonly #joined: Map<string, JoinedTensor> = new Map();

  constructor(optimizers: readonly OptimizerState[], models: readonly ModelState[]) {
    this.#optimizers = optimizers;
    this.#models = models;
    this.#model = at(models, 0, "file of a model");
  }

  join(): ReadonlyMap<string, JoinedTensor> {
    this.#addBuffers();
    const { stage } = at(this.#optimizers, 0, "optimizer");
    if (stage === 3) {
      this.#addFrozenParts();
      this.#addPartitioned();
    } else {
      this.#addFrozen();
      this.#addGroups();
    }
    for (const [name, as] of this.#model.shared) {
      const tensor = this.#joined.get(as);
      if (tensor !== undefined) this.#joined.set(name, tensor);
    }
    return this.#joined;
  }

  #add(name: string, dtype: DType, shape: readonly number[], read: ReadPart): void {
    const origin = this.#model.file.name;
    this.#joined.set(name, {
      dtype,
      shape,
      pieces: [{ offsets: shape.map(() => 0), sizes: shape, origin, read }],
    });
  }

  /** Buffers of floats are given in f32, as the script of DeepSpeed gives them. */
  #addBuffers(): void {
    const { file, buffers } = this.#model;
    const reads = file.readers([...buffers.values()]);
    for (const [i, [name, { dtype, shape }]] of [...buffers].entries()) {
      const read = at(reads, i);
      if (DTYPES[dtype].float) this.#add(name, "f32", shape, convertedReader(read, dtype));
      else this.#add(name, dtype, shape, read);
    }
  }

  #addFrozen(): void {
    const { file, frozen, fragments } = this.#model;
    for (const [name, shape] of frozen) {
      const fragment = fragments.get(name);
      if (fragment === undefined || sizeOf(fragment.shape) !== sizeOf(shape))
        throw zeroError(file, `the frozen parameter "${name}" must be stored in its shape: it is not`);
      this.#add(name, fragment.dtype, shape, at(file.readers([fragment]), 0));
    }
  }

  /** Adds frozen parameters of which each process stored a part. */
  #addFrozenParts(): void {
    for (const [name, shape] of this.#model.frozen) {
      const parts = this.#models.map(({ file, fragments }) => {
        const fragment = fragments.get(name);
        if (fragment === undefined) throw zeroError(file, `it must hold a part of "${name}": it does not`);
        return { tensor: fragment, length: sizeOf(fragment.shape), read: at(file.readers([fragment]), 0) };
      });
      const { dtype } = at(parts, 0).tensor;
      const held = parts.reduce((sum, { length }) => sum + length, 0);
      if (held < sizeOf(shape) || parts.some(({ tensor }) => tensor.dtype !== dtype))
        throw zeroError(
          this.#model.file,
          `parts of "${name}" must make it up: they are ${held} of ${sizeOf(shape)} elements`,
        );
      this.#add(name, dtype, shape, readInSequence(parts));
    }
  }

  /** Adds parameters of stages 1 and 2: each group is one sequence of which each process has a part. */
  #addGroups(): void {
    const { groups, file } = this.#model;
    const first = at(this.#optimizers, 0, "optimizer");
    if (groups.length !== first.groups.length)
      throw zeroError(
        file,
        `it must name the parameters of ${first.groups.length} groups: it names ${groups.length}`,
      );
    for (const [i, shapes] of groups.entries()) {
      const parts = this.#optimizers.map((optimizer) => partOf(optimizer, at(optimizer.groups, i, "group")));
      const length = parts.reduce((sum, part) => sum + part.length, 0);
      const sequence = readInSequence(parts);
      const paddings = paddingsOf(first.paddings, i);
      let offset = 0;
      for (const [position, [name, shape]] of shapes.entries()) {
        const start = offset;
        offset += sizeOf(shape);
        if (!(offset <= length))
          throw zeroError(
            file,
            `group ${i} must hold its parameters: "${name}" ends at element ${offset} of ${length}`,
          );
        this.#add(name, at(first.groups, i).dtype, shape, (begin, out) => sequence(start + begin, out));
        offset += position < paddings.length ? at(paddings, position) : 0;
      }
    }
  }

  /** Adds parameters of stage 3: each process has an equal part of each parameter, one after the other. */
  #addPartitioned(): void {
    const count = this.#optimizers.length;
    const ranks = this.#optimizers.map((optimizer) => {
      const parts = optimizer.groups.map((group) => partOf(optimizer, group));
      return { length: parts.reduce((sum, part) => sum + part.length, 0), read: readInSequence(parts) };
    });
    const { dtype } = at(at(this.#optimizers, 0).groups, 0);
    let offset = 0;
    for (const [name, shape] of this.#model.groups.flat()) {
      const part = Math.ceil(sizeOf(shape) / count);
      const start = offset;
      offset += part;
      const short = ranks.findIndex(({ length }) => !(offset <= length));
      if (short >= 0)
        throw zeroError(
          at(this.#optimizers, short).file,
          `it must hold its part of "${name}", up to element ${offset}: it has ${at(ranks, short).length}`,
        );
      this.#add(
        name,
        dtype,
        shape,
        readEvenly(
          ranks.map(({ read }) => read),
          part,
          start,
        ),
      );
    }
  }
}

/**
 * Makes the function that reads a tensor of which part `i` has elements from `i size` on, stored at `start`.
 */
function readEvenly(reads: readonly ReadPart[], size: number, start: number): ReadPart {
  return async (begin, out) => {
    for (let done = 0; done < out.length; ) {
      const element = begin + done;
      const end = Math.min(out.length, done + size - (element % size));
      await at(reads, Math.floor(element / size))(start + (element % size), out.subarray(done, end));
      done = end;
    }
  };
}

function partOf({ file }: OptimizerState, tensor: TorchTensor): Part {
  return { length: sizeOf(tensor.shape), read: at(file.readers([tensor]), 0) };
}

function paddingsOf(value: unknown, group: number): readonly number[] {
  const list = Array.isArray(value) ? value[group] : undefined;
  return Array.isArray(list)
    ? list.map((one: unknown) => (typeof one === "number" && one >= 0 ? one : 0))
    : [];
}
