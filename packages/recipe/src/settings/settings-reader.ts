import { at, closestName, entry } from "@isthmus/core";
import type { ParameterSpec, ParameterValue } from "@isthmus/merging";
import { BLOCK_ARCHITECTURES, listBlocks } from "../diffusion/diffusion-blocks.ts";
import type { Path, Problem } from "../recipe/problem.ts";
import type { Gradient } from "../recipe/recipe.ts";
import { findEmptyBlocks, findUncovered } from "./block-values.ts";
import { compileFilter } from "./filter.ts";
import { type Branch, type BranchBlock, type Level, listBranches } from "./level.ts";
import { readScalar } from "./scalar.ts";

/** The value of a parameter for one tensor, with its place in the recipe. */
export interface ReadValue {
  /** Value for the tensor, interpolated if it is from a gradient. */
  readonly value: ParameterValue;
  /** Path of the setting in the recipe. */
  readonly path: Path;
  /** Filter that matched the tensor; undefined if the setting has none. */
  readonly filter: string | undefined;
  /** Name of the block that the value is for; undefined if the setting has none. */
  readonly block: string | undefined;
  /** Whether the value stands in a list of filters, so that the tensor's name decided. */
  readonly isConditional: boolean;
  /**
   * Position between the first layer (0) and the last (1) if the value is from a gradient; otherwise
   * undefined.
   */
  readonly along: number | undefined;
}

/** A tensor for which settings are read. */
export interface ReadTensor {
  /** Name of the tensor, which filters are compared with. */
  readonly name: string;
  /** Position between the first layer (0) and the last (1); 0 outside layers. */
  readonly along: number;
}

/** Record of the effect of a filter. */
interface FilterUse {
  readonly path: Path;
  readonly filter: string;
  readonly fits: (name: string) => boolean;
  matched: boolean;
  chosen: boolean;
}

/** Record of the tensors for which values were sought by blocks. */
interface BlockUse extends BranchBlock {
  /** Blocks of each tensor, by its name. */
  readonly blocksOf: Map<string, readonly string[]>;
  /** Tensor that no setting gives a value, although it has one for other blocks. */
  uncovered: string | undefined;
}

/** Reads settings tensor by tensor, and remembers which filters and blocks had an effect. */
export class SettingsReader {
  readonly #filters = new Map<string, FilterUse>();
  readonly #blocks = new Map<string, BlockUse>();
  readonly #names = new Set<string>();

  /**
   * Reads a parameter from the first level that has a value for the tensor; undefined if no level has one.
   * The levels are ordered from the nearest to the tensor outwards.
   */
  read(
    parameter: string,
    spec: ParameterSpec,
    levels: readonly Level[],
    tensor: ReadTensor,
  ): ReadValue | undefined {
    this.#names.add(tensor.name);
    let sought: BlockUse | undefined;
    for (const { settings, path } of levels) {
      const setting = settings[parameter];
      if (setting === undefined) continue;
      const branches = listBranches(setting, [...path, parameter]);
      const branch = this.#choose(branches, tensor.name);
      const value = branch && valueAt(branch, spec, tensor.along);
      if (value !== undefined) return value;
      const block = branches.find((one) => one.block !== undefined)?.block;
      sought ??= block && this.#useOf(block);
    }
    if (sought !== undefined) sought.uncovered ??= tensor.name;
    return undefined;
  }

  /** Lists problems of tensors that no setting gives a value, although blocks have values. */
  findUncoveredBlocks(): readonly Problem[] {
    return [...this.#blocks.values()].flatMap(({ architecture: blocks, setting: path, uncovered }) =>
      uncovered === undefined ? [] : [findUncovered({ blocks, path }, uncovered)],
    );
  }

  /** Lists problems of blocks of diffusion models with all tensors for which values were read. */
  findBlockProblems(): readonly Problem[] {
    const empty = [...this.#blocks.values()].flatMap(({ architecture: blocks, setting: path, blocksOf }) =>
      findEmptyBlocks({ blocks, path }, blocksOf.keys()),
    );
    const uncovered = this.findUncoveredBlocks();
    return uncovered.length > 0 ? uncovered : empty;
  }

  /** Lists filters that changed nothing. */
  findIdleFilters(levels: readonly Level[]): readonly Problem[] {
    const branches = levels.flatMap(({ settings, path }) =>
      Object.entries(settings).flatMap(([name, setting]) => listBranches(setting, [...path, name])),
    );
    return branches.flatMap(({ path, filter }): readonly Problem[] => {
      if (filter === undefined || filter === "*") return [];
      const use = this.#filters.get(path.join("\n"));
      if (use?.chosen) return [];
      return [{ path: [...path, "filter"], ...this.#explainIdle(filter, use) }];
    });
  }

  #explainIdle(filter: string, use: FilterUse | undefined): Pick<Problem, "text" | "tolerated"> {
    const tolerate = (text: string) => ({ text: `"${filter}" ${text}`, tolerated: "idle filter" }) as const;
    if (use === undefined)
      return tolerate("has no effect as settings nearer to the networks come first: leave it out");
    if (use.matched) return tolerate("has no effect as filters before it take all its tensors: put it first");
    const parts = [...new Set([...this.#names].flatMap((name) => name.split(/[./]/)))];
    const meant = closestName(filter, parts);
    const text = `matches none of ${this.#names.size} tensors`;
    if (meant !== undefined) return { text: `"${filter}" ${text}; did you mean "${meant}"?` };
    return tolerate(`${text}, so that it has no effect; one tensor is "${[...this.#names][0]}"`);
  }

  #choose(branches: readonly Branch[], name: string): Branch | undefined {
    let chosen: Branch | undefined;
    for (const branch of branches) {
      const fits = this.#fits(branch, name, chosen !== undefined);
      if (fits) chosen ??= branch;
    }
    return chosen;
  }

  #useOf(block: BranchBlock): BlockUse {
    const key = block.setting.join("\n");
    const use = this.#blocks.get(key) ?? { ...block, blocksOf: new Map(), uncovered: undefined };
    this.#blocks.set(key, use);
    return use;
  }

  #isIn(block: BranchBlock, name: string): boolean {
    const { blocksOf } = this.#useOf(block);
    const architecture = entry(BLOCK_ARCHITECTURES, block.architecture, "kind of diffusion model");
    const blocks = blocksOf.get(name) ?? listBlocks(architecture, name);
    blocksOf.set(name, blocks);
    return blocks.includes(block.name);
  }

  #fits({ path, filter, block }: Branch, name: string, isTaken: boolean): boolean {
    if (block !== undefined) return this.#isIn(block, name);
    if (filter === undefined) return true;
    const key = path.join("\n");
    const use = this.#filters.get(key) ?? {
      path,
      filter,
      matched: false,
      chosen: false,
      fits: compileFilter(filter),
    };
    this.#filters.set(key, use);
    const fits = use.fits(name);
    use.matched ||= fits;
    use.chosen ||= fits && !isTaken;
    return fits;
  }
}

/**
 * Reads a value at a position between the first layer and the last. Numbers of a gradient are interpolated;
 * other values apply from their position to the next.
 */
function valueAt(
  { value, path, filter, block, isConditional }: Branch,
  spec: ParameterSpec,
  along: number,
): ReadValue | undefined {
  const source = { path, filter, block: block?.name, isConditional };
  if (!Array.isArray(value))
    return { ...source, value: readScalar(spec, value) as ParameterValue, along: undefined };
  if (value.length === 0) return undefined;
  const values = (value as Gradient).map((item) => readScalar(spec, item) as ParameterValue);
  const position = along * (values.length - 1);
  const before = Math.floor(position);
  const [low, high] = [at(values, before), at(values, Math.min(before + 1, values.length - 1))];
  const share = position - before;
  const between = typeof low === "number" && typeof high === "number" ? low + share * (high - low) : low;
  return { ...source, value: share === 0 ? low : between, along };
}
