import {
  at,
  type Checkpoint,
  defineCheckpoint,
  entry,
  sizeOf,
  type TensorInfo,
  toFloat32,
  toFloat64,
  UnsupportedError,
} from "@isthmus/core";
import { createMatrix, type Matrix } from "@isthmus/linear-algebra";
import type { Adapter } from "../adapter.ts";
import { type BuiltModule, buildAdapter } from "../build-adapter.ts";
import type { FactorType } from "../factors.ts";
import type { FactoredChange, FactorKind } from "./factor-kind.ts";
import { FACTOR_KINDS } from "./kind-tables.ts";

/** A module whose change is computed from other factors than the two of LoRA. */
export interface FactoredModule {
  /** Name of the module, as the adapter writes it. */
  readonly name: string;
  /** Names of all its factors in the adapter. */
  readonly keys: readonly string[];
  /** Name of the numerator of the scale; undefined if the file has none for the module. */
  readonly alpha: string | undefined;
  /** The change. */
  readonly change: FactoredChange;
}

/** Factors by which changes are multiplied, by the names of modules; 1 for all other modules. */
type Scales = ReadonlyMap<string, number>;

/**
 * Finds the modules of a checkpoint whose changes are computed from other factors than the two of LoRA.
 * @throws MismatchError if a module lacks a factor, or the shapes of its factors do not fit each other
 */
export function findFactored(source: string, checkpoint: Checkpoint): readonly FactoredModule[] {
  const { tensors } = checkpoint;
  return FACTOR_KINDS.flatMap((kind) =>
    [...groupByModule(kind, tensors.keys())].map(([name, keys]): FactoredModule => {
      const alpha = `${name}.alpha`;
      const change = kind.open({
        source,
        module: name,
        tensors: new Map([...keys].map(([role, key]) => [role, entry(tensors, key, "tensor")])),
        read: (role, type) => readMatrix(checkpoint, entry(keys, role, "factor"), type),
      });
      assertSize(source, name, change);
      return {
        name,
        change,
        keys: [...keys.values()],
        alpha: tensors.has(alpha) ? alpha : undefined,
      };
    }),
  );
}

/** Most elements of a factor that is computed: 4 GiB of f32. Small Kronecker factors can ask for any size. */
const MOST_ELEMENTS = 2 ** 30;

function assertSize(source: string, module: string, { shapes }: FactoredChange): void {
  const large = [shapes.a, shapes.b].find((shape) => !(sizeOf(shape) <= MOST_ELEMENTS));
  if (large === undefined) return;
  throw new UnsupportedError(
    `Cannot use adapter "${source}" as a factor of "${module}" must have at most ${MOST_ELEMENTS} elements: it would be [${large}]`,
    { feature: module },
  );
}

/** Groups names by module, and in each by role; a module without the role that shows the kind is left out. */
function groupByModule(
  { name: kind, roles }: FactorKind,
  names: Iterable<string>,
): ReadonlyMap<string, ReadonlyMap<string, string>> {
  const groups = new Map<string, Map<string, string>>();
  for (const key of names) {
    const plain = key.replace(/\.default$/, "");
    const role = roles.find((one) => plain.endsWith(`.${one}`));
    if (role === undefined) continue;
    const module = plain.slice(0, -role.length - 1);
    groups.set(module, (groups.get(module) ?? new Map<string, string>()).set(role, key));
  }
  // Only the third factor tells LoCon's change from LoRA's.
  const isShown = (keys: ReadonlyMap<string, string>) => kind !== "LoCon" || keys.has(at(roles, 0, "role"));
  return new Map([...groups].filter(([, keys]) => isShown(keys)));
}

async function readMatrix(checkpoint: Checkpoint, key: string, type: FactorType): Promise<Matrix> {
  const { data, dtype, shape } = await checkpoint.read(key);
  const rows = at(shape, 0, "extent");
  const elements = type === "f64" ? toFloat64(data, dtype) : toFloat32(data, dtype);
  return createMatrix(rows, elements.length / rows, elements);
}

/** Describes a module as one of LoRA whose factors are computed, with scale 1. */
export function builtModule(
  { name, change }: FactoredModule,
  scale: number,
  keys?: BuiltModule["keys"],
): BuiltModule {
  return {
    name,
    kind: "linear",
    shapes: change.shapes,
    dtype: change.dtype,
    keys,
    async compute() {
      const { left, right } = await change.readFactors("f32");
      for (let i = 0; i < left.data.length; i++) left.data[i] = scale * at(left.data, i, "element");
      return { left, right };
    },
  };
}

/** Makes a checkpoint that has the two factors of LoRA in place of the factors of other kinds. */
export function expandFactors(
  checkpoint: Checkpoint,
  factored: readonly FactoredModule[],
  scales: Scales,
): Checkpoint {
  if (factored.length === 0) return checkpoint;
  const { source, metadata } = checkpoint;
  const modules = factored.map((module) => {
    const keys = { a: `${module.name}.lora_down.weight`, b: `${module.name}.lora_up.weight` };
    return builtModule(module, scales.get(module.name) ?? 1, keys);
  });
  const built = buildAdapter({ source, modules, inputs: [checkpoint], naming: "kohya", passedOn: {} });
  const gone = new Set(factored.flatMap(({ keys, alpha = "" }) => [...keys, alpha]));
  const otherTensors = [...checkpoint.tensors].filter(([key]) => !gone.has(key));
  return defineCheckpoint({
    source,
    metadata,
    inputs: [checkpoint],
    tensors: new Map<string, TensorInfo>([...otherTensors, ...built.checkpoint.tensors]),
    readInto: (key, begin, out) =>
      (built.checkpoint.tensors.has(key) ? built.checkpoint : checkpoint).readRangeInto(key, begin, out),
    close: () => checkpoint.close(),
  });
}

/** Gives the modules of an adapter the faster way to compute rows of their changes. */
export function withRows<T extends Adapter>(
  adapter: T,
  factored: readonly FactoredModule[],
  scales: Scales,
): T {
  const modules = new Map(adapter.modules);
  for (const { name, change } of factored) {
    const scale = scales.get(name) ?? 1;
    const readRows = async (type: FactorType) => {
      const rowsOf = await change.readRows(type);
      return (top: number, bottom: number) => {
        const rows = rowsOf(top, bottom);
        for (let i = 0; i < rows.length; i++) rows[i] = scale * at(rows, i, "element");
        return rows;
      };
    };
    modules.set(name, { ...entry(modules, name, "module"), readRows, isFlat: change.isFlat });
  }
  return { ...adapter, modules };
}
