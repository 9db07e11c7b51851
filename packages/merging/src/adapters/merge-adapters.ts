import {
  at,
  type Checkpoint,
  entry,
  InputError,
  InvariantError,
  MismatchError,
  OutOfRangeError,
  UnsupportedError,
  UsageError,
} from "@isthmus/core";
import { type MatrixProducts, plainProducts } from "@isthmus/linear-algebra";
import type { PerTensor } from "../parameters.ts";
import type { Adapter, AdapterModule } from "./adapter.ts";
import { commonMetadata } from "./adapter-file.ts";
import { type BuiltModule, buildAdapter } from "./build-adapter.ts";
import {
  chooseCombination,
  isOfFactors,
  type PeftCombination,
  valueFor,
} from "./combine/choose-combination.ts";
import type { Combination } from "./combine/combination.ts";
import type { CoreRule } from "./combine/core-space.ts";
import type { MajoritySign } from "./combine/element-rules.ts";
import type { Factors } from "./factors.ts";
import { moduleExtents, readFactors } from "./read-factors.ts";

/** Options of {@link mergeAdapters}. */
export interface MergeAdaptersOptions {
  /**
   * Method that merges the changes of a module: one of PEFT's eleven, or `core`.
   *
   * `cat` puts factors side by side (exact, the ranks add up) and `svd` keeps the largest singular values of
   * the sum. `ties_svd`, `dare_ties_svd`, `dare_linear_svd` and `magnitude_prune_svd` trim the elements of
   * the products and keep the largest singular values of the result. `linear`, `ties`, `dare_ties`,
   * `dare_linear` and `magnitude_prune` do the same with the elements of the factors, which need one rank:
   * their results depend on how factors are turned, which changes no product. `core` applies a merge method
   * in the space that all adapters share.
   */
  readonly combination: PeftCombination | "core";
  /**
   * Weight of each adapter, which may be negative, for all modules or by their names. @defaultValue 1 for
   * each
   */
  readonly weights?: readonly PerTensor<number>[];
  /**
   * Rank that `svd` and names that end in `_svd` keep, for all modules or by their names.
   * @defaultValue the largest rank of the adapters
   */
  readonly rank?: PerTensor<number | undefined>;
  /**
   * Share of elements that is kept: the largest by `ties` and `magnitude_prune`, in `[0, 1]`, or some by
   * chance by `dare_linear` and `dare_ties`, above 0 and at most 1; for all modules or by their names.
   * @defaultValue 1
   */
  readonly density?: PerTensor<number> | undefined;
  /**
   * How `ties` and `dare_ties` elect signs, for all modules or by their names: by the sum of elements
   * (`total`), or by the number of elements of each sign (`frequency`). @defaultValue "total"
   */
  readonly majoritySign?: PerTensor<MajoritySign> | undefined;
  /** Seed of `dare_linear` and `dare_ties`, a whole number of at least 0. @defaultValue 0 */
  readonly seed?: number | undefined;
  /** Merge method that `core` applies; parameters that depend on tensors get names of modules. */
  readonly rule?: CoreRule;
  /** Multiplier of matrices. @defaultValue `plainProducts` */
  readonly products?: MatrixProducts;
}

/**
 * Merges LoRA adapters of one base into one adapter, lazily: a module is computed when it is read.
 *
 * A module that some adapters lack is merged from the other adapters. All adapters must be named after one
 * program, like the result. Results equal the results of PEFT's `add_weighted_adapter`, except that `cat` and
 * `svd` do not fill matrices with zeros, and that `dare_linear` and `dare_ties` draw other random numbers.
 * @throws InputError if there are no adapters
 * @throws MismatchError if adapters do not fit each other
 * @throws UnsupportedError if an adapter changes biases or lengths of rows (DoRA), which are not products of
 *   matrices
 * @throws OutOfRangeError if the number of weights differs from the number of adapters, or a rank or density
 *   is out of range
 * @throws UsageError if the combination is unknown, `core` has no rule, or a combination would blend the
 *   factors of files of kohya or diffusers
 */
export function mergeAdapters(adapters: readonly Adapter[], options: MergeAdaptersOptions): Adapter {
  const { weights = adapters.map(() => 1), products = plainProducts } = options;
  const [first] = adapters;
  if (first === undefined) {
    throw new InputError("Cannot merge adapters as there must be at least one: there is none", {
      input: "adapters",
    });
  }
  if (weights.length !== adapters.length) {
    throw new OutOfRangeError(
      `Cannot merge ${adapters.length} adapters as each needs a weight: there are ${weights.length}`,
    );
  }
  for (const adapter of adapters) {
    assertProducts(adapter, options);
    assertMergeable(first, adapter);
  }
  const names = [...new Set(adapters.flatMap(({ modules }) => [...modules.keys()]))];
  const modules = names.map((name) => {
    const changes = adapters.flatMap((adapter, i): Change[] => {
      const module = adapter.modules.get(name);
      return module === undefined
        ? []
        : [{ adapter, module, weight: valueFor(at(weights, i, "weight"), name) }];
    });
    const positions = [...adapters.keys()].filter((i) => at(adapters, i, "adapter").modules.has(name));
    return describeModule(changes, chooseCombination(options, { name, positions }), products);
  });
  return buildAdapter({
    source: `${options.combination}(${adapters.map(({ source }) => source).join(", ")})`,
    modules,
    replaced: joinReplaced(adapters),
    inputs: adapters.map(({ checkpoint }) => checkpoint),
    naming: first.naming,
    metadata: commonMetadata(adapters.map(({ checkpoint }) => checkpoint)),
    passedOn: first.config?.raw ?? {},
    isTransposed: first.config?.isTransposed ?? false,
  });
}

interface Change {
  readonly adapter: Adapter;
  readonly module: AdapterModule;
  readonly weight: number;
}

/**
 * Checks that adapters of kohya and diffusers are merged by their products: `linear`, `ties` and their like
 * blend factors, as PEFT does, and are for adapters of PEFT.
 */
function assertProducts({ naming, source }: Adapter, { combination }: MergeAdaptersOptions): void {
  if (naming === "PEFT" || !isOfFactors(combination)) return;
  throw new UsageError(
    `Cannot merge adapter "${source}" by "${combination}" as this blends factors one by one, as PEFT does, and the mean of factors is not the mean of what they add: choose cat, which is exact, or ${combination === "linear" ? "svd for a smaller rank" : `${combination}_svd, which does the same to products`}`,
  );
}

function assertMergeable(first: Adapter, adapter: Adapter): void {
  const [multiplied] = adapter.multiplied.values();
  if (multiplied !== undefined) {
    throw new UnsupportedError(
      `Cannot merge adapter "${adapter.source}" with others as its ${multiplied.kind} of "${multiplied.name}" is no product of matrices that does without the weight: apply it to its model as model+adapter, and merge models`,
      { feature: multiplied.kind },
    );
  }
  assertSameNames(first, adapter);
  const special = [...adapter.modules.values()].find(({ bias, magnitude }) => bias ?? magnitude);
  if (special !== undefined) {
    throw new UnsupportedError(
      `Cannot merge adapter "${adapter.source}" with others as it changes ${special.bias === undefined ? "lengths of rows (DoRA)" : "biases"} of "${special.name}": apply it to its model, and merge models`,
      { feature: special.name },
    );
  }
  for (const [name, module] of adapter.modules) {
    const other = first.modules.get(name);
    if (other === undefined) continue;
    const [a, b] = [moduleExtents(first, other), moduleExtents(adapter, module)];
    if (a.in === b.in && a.out === b.out && other.isTransposed === module.isTransposed) continue;
    throw new MismatchError(
      `Cannot merge adapters "${first.source}" and "${adapter.source}" as their changes of "${name}" must have one shape: they are ${a.out} x ${a.in} and ${b.out} x ${b.in}`,
      { parameters: [name] },
    );
  }
}

/**
 * Checks that adapters name modules in the same way, because a weight with two names would be changed twice.
 */
function assertSameNames(first: Adapter, adapter: Adapter): void {
  const isShared = [...adapter.modules.keys()].some((name) => first.modules.has(name));
  if (first.naming === adapter.naming && (isShared || adapter.naming === "PEFT")) return;
  const problem =
    first.naming === adapter.naming
      ? `at least one module must be in both: they have "${[...first.modules.keys()][0]}" and "${[...adapter.modules.keys()][0]}"`
      : `their tensors must be named alike: they have the names of ${first.naming} and of ${adapter.naming}`;
  throw new MismatchError(
    `Cannot merge adapters "${first.source}" and "${adapter.source}" as ${problem}; convert one to the names of the other by isthmus convert --adapter-names`,
    { parameters: [...adapter.modules.keys()] },
  );
}

function describeModule(
  changes: readonly Change[],
  combination: Combination,
  products: MatrixProducts,
): BuiltModule {
  const { adapter, module } = at(changes, 0, "change");
  const extents = moduleExtents(adapter, module);
  const ranks = changes.map((change) => change.module.rank);
  const rank = combination.rankOf(ranks, extents, module.name);
  const a = entry(adapter.checkpoint.tensors, module.a, "tensor");
  const b = entry(adapter.checkpoint.tensors, module.b, "tensor");
  return {
    name: module.name,
    kind: module.kind,
    dtype: a.dtype,
    keys: adapter.naming === "PEFT" ? undefined : module,
    // Kernels of convolutions keep their extents.
    shapes: { a: [rank, ...a.shape.slice(1)], b: [extents.out, rank, ...b.shape.slice(2)] },
    async compute() {
      const factors: Factors[] = [];
      for (const change of changes) {
        factors.push(await readFactors(change.adapter, change.module, "f32"));
      }
      const [of, ...others] = factors;
      if (of === undefined) throw new InvariantError(`module "${module.name}" has no changes`);
      return combination.combine({
        name: module.name,
        factors: [of, ...others],
        products,
        scales: changes.map((change) => change.weight * change.module.scale),
        ownScales: changes.map((change) => change.module.scale),
        weights: changes.map((change) => change.weight),
      });
    },
  };
}

function joinReplaced(adapters: readonly Adapter[]) {
  const replaced = new Map<string, { readonly checkpoint: Checkpoint; readonly name: string }>();
  for (const { replaced: tensors, checkpoint, source } of adapters) {
    for (const [name, key] of tensors) {
      const earlier = replaced.get(name);
      if (earlier !== undefined) {
        throw new MismatchError(
          `Cannot merge adapter "${source}" with "${earlier.checkpoint.source}" as both replace "${name}": at most one may`,
          { parameters: [name] },
        );
      }
      replaced.set(name, { checkpoint, name: key });
    }
  }
  return replaced;
}
