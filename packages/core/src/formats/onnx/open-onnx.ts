import { dirname, resolve } from "@isthmus/platform";
import type { Checkpoint } from "../../checkpoint/checkpoint.ts";
import { defineCheckpoint } from "../../checkpoint/define-checkpoint.ts";
import { InputError, UnsupportedError } from "../../errors.ts";
import { entry } from "../../invariant.ts";
import type { ByteSource } from "../../io/byte-source.ts";
import { isInside } from "../../io/confine-files.ts";
import { openFileSource } from "../../io/file-source.ts";
import { MAX_SHARDS, MAX_TENSORS } from "../../io/limits.ts";
import { DTYPES } from "../../tensor/dtype.ts";
import { sizeOf } from "../../tensor/shape.ts";
import { byteLengthOf, viewBytes } from "../../tensor/tensor.ts";
import { formatErrors } from "../format-errors.ts";
import { keepLast } from "../keep-last.ts";
import {
  decodeVarints,
  type Initializer,
  readEntry,
  readInitializer,
  type VarintsPlace,
} from "./initializer.ts";
import { type ProtoField, ProtoWalker } from "./proto-walker.ts";

const formatError = formatErrors("onnx");

/** Advice for a graph without weights that was given instead of weights. */
const SWAPPED =
  "it is an ONNX graph; give it as the graph (--graph), and name a file of weights here, as it contains none";

/** Initializers of a model, and the free-form texts of the model. */
interface OnnxContents {
  readonly initializers: ReadonlyMap<string, Initializer>;
  readonly metadata: ReadonlyMap<string, string>;
}

/**
 * Opens the initializers of an ONNX model as a checkpoint: all tensors in the model, including constants,
 * under their names. Elements are read by range, from the model or from files beside it.
 *
 * The checkpoint owns `source` and closes it; on failure the caller must close it.
 * @param files - paths to report as read
 * @throws FormatError if the file is damaged, or claims more than it has
 * @throws InputError if a file of external data is missing, or the model contains no weights, which are
 *   floating-point tensors of two elements or more
 * @throws UnsupportedError if an initializer is sparse, or does not hold numbers
 */
export async function openOnnx(source: ByteSource, files: readonly string[] = []): Promise<Checkpoint> {
  const { initializers, metadata } = await readContents(source);
  const beside = await openBeside(source, initializers);
  const readVarints = keepLast(async (name) => {
    const initializer = entry(initializers, name, "initializer");
    const { begin, end } = initializer.place as VarintsPlace;
    return decodeVarints(initializer, await source.read(begin, end));
  });
  const sourceOf = (initializer: Initializer): ByteSource =>
    initializer.place.kind === "external" ? entry(beside, initializer.place.location, "file") : source;
  return defineCheckpoint({
    source: source.name,
    tensors: new Map([...initializers].map(([name, { dtype, shape }]) => [name, { dtype, shape }])),
    metadata: Object.fromEntries(metadata),
    files: [...files, ...[...beside.values()].map(({ name }) => name)],
    async readInto(name, begin, out) {
      const initializer = entry(initializers, name, "initializer");
      const { place, dtype } = initializer;
      if (place.kind === "varints") {
        const data = await readVarints(name);
        viewBytes(out).set(viewBytes(data.subarray(begin, begin + out.length)));
        return;
      }
      const origin = place.kind === "external" ? place.offset : place.begin;
      await sourceOf(initializer).readInto(origin + begin * DTYPES[dtype].bytes, viewBytes(out));
    },
    async close() {
      for (const file of [source, ...beside.values()]) await file.close();
    },
  });
}

async function readContents(source: ByteSource): Promise<OnnxContents> {
  const walker = new ProtoWalker(source);
  const initializers = new Map<string, Initializer>();
  const metadata = new Map<string, string>();
  for await (const field of walker.fields(0, source.size)) {
    if (field.wire !== 2) continue;
    if (field.number === 14) await readEntry(metadata, field, walker);
    if (field.number === 7) await readGraph(field, walker, initializers);
  }
  const isWeight = ({ dtype, shape }: Initializer): boolean => DTYPES[dtype].float && sizeOf(shape) > 1;
  if ([...initializers.values()].some(isWeight)) return { initializers, metadata };
  throw new InputError(`Cannot open "${source.name}" as a checkpoint must hold weights: ${SWAPPED}`, {
    input: source.name,
  });
}

/** Reads the initializers of an `onnx.GraphProto`. */
async function readGraph(
  graph: ProtoField,
  walker: ProtoWalker,
  initializers: Map<string, Initializer>,
): Promise<void> {
  for await (const field of walker.fields(graph.begin, graph.end)) {
    if (field.wire !== 2) continue;
    if (field.number === 15) throw sparse(walker);
    if (field.number === 5) addInitializer(initializers, await readInitializer(walker, field), walker);
  }
}

function addInitializer(
  initializers: Map<string, Initializer>,
  initializer: Initializer,
  walker: ProtoWalker,
): void {
  const { name } = initializer;
  if (initializers.has(name))
    throw walker.error(`names of initializers must differ: "${name}" is there twice`);
  initializers.set(name, initializer);
  if (initializers.size > MAX_TENSORS)
    throw walker.error(`a checkpoint may have at most ${MAX_TENSORS} tensors: it has more`);
}

/** Opens the files beside a model that contain elements, and checks that they are long enough. */
async function openBeside(
  source: ByteSource,
  initializers: ReadonlyMap<string, Initializer>,
): Promise<Map<string, ByteSource>> {
  const beside = new Map<string, ByteSource>();
  try {
    for (const initializer of initializers.values()) {
      const { name, place } = initializer;
      if (place.kind !== "external") continue;
      const file =
        beside.get(place.location) ??
        (await openFileSource(pathBeside(source, place.location), dirname(source.name)));
      beside.set(place.location, file);
      const end = place.offset + byteLengthOf(initializer);
      if (end > file.size)
        throw formatError(
          source,
          `"${file.name}" must hold "${name}" up to byte ${end}: it has ${file.size}`,
        );
      if (beside.size > MAX_SHARDS)
        throw formatError(source, `there may be at most ${MAX_SHARDS} files beside it: there are more`);
    }
    return beside;
  } catch (error) {
    for (const file of beside.values()) await file.close();
    throw error;
  }
}

/** Returns the path of a file beside a model; the file must lie in the model's folder. */
function pathBeside(source: ByteSource, location: string): string {
  const folder = resolve(dirname(source.name));
  const file = resolve(folder, location);
  if (file !== folder && isInside(folder, file)) return file;
  throw formatError(source, `external data must lie in the model's folder: they are in "${location}"`);
}

function sparse({ name }: ProtoWalker): UnsupportedError {
  return new UnsupportedError(
    `Cannot read "${name}" as its initializers must be dense: one is sparse; export it again with dense weights`,
    { feature: "sparse initializers" },
  );
}
