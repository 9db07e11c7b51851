import { type Adapter, type MergeMethod, openAdapter, openMergeProducts } from "@isthmus/merging";
import type { CheckedRecipe } from "../plan/groups.ts";
import { type AdapterPlan, findAdapterMethod, planAdapters } from "./plan-adapters.ts";

/** Options of {@link openAdapters}. */
export interface OpenAdaptersOptions {
  /** Merge methods by name, which are applied in core space. */
  readonly methods: ReadonlyMap<string, MergeMethod>;
  /** Seed of methods that draw random numbers, a whole number of at least 0. */
  readonly seed: number;
  /** URL of a module that exports `openProducts`, for methods that multiply large matrices. */
  readonly productsModule: string | undefined;
}

/** A merge of adapters whose files are open. */
export interface OpenedAdapters extends AdapterPlan {
  /** Closes the files. */
  close(): Promise<void>;
}

/**
 * Opens the adapters of a recipe, and plans their merge; only headers are read.
 * @param folders - folders or files of the adapters, in the order of the recipe
 * @throws InputError if something in the recipe is wrong, or an adapter cannot be opened
 * @throws MismatchError if adapters do not fit each other
 * @throws UnsupportedError if an adapter is a variant of LoRA that cannot be merged
 */
export async function openAdapters(
  checked: CheckedRecipe,
  folders: readonly string[],
  { methods, seed, productsModule }: OpenAdaptersOptions,
): Promise<OpenedAdapters> {
  const method = findAdapterMethod(checked, methods);
  const { keepsTensor = false } = method;
  const products =
    keepsTensor && productsModule !== undefined ? await openMergeProducts(productsModule, 0) : undefined;
  const adapters: Adapter[] = [];
  const close = async () => {
    await products?.release();
    for (const adapter of adapters) await adapter.close();
  };
  try {
    for (const [i, folder] of folders.entries())
      adapters.push(await checked.places.open(["models", i, "model"], () => openAdapter(folder)));
    const { plan, adapter } = planAdapters(checked, adapters, { method, seed, products });
    return { plan: { ...plan, ...(keepsTensor && { products }) }, adapter, close };
  } catch (error) {
    await close();
    throw error;
  }
}
