// Saves a merge in a process of its own, which a test may kill or measure. It is called with JSON: the merge, where to save it, and
// options; it prints what `saveMerge` returns and the notes, or the error, as JSON.
import {
  describeFileMerge,
  type FileMerge,
  openMergeProducts,
  openMergeSource,
  type SaveMergeOptions,
  saveMerge,
} from "@isthmus/merging";

/** What the process is called with. */
export interface MergeChildRequest {
  readonly merge: FileMerge;
  readonly path: string;
  readonly options: SaveMergeOptions;
  /** URL of a module that makes products of matrices. */
  readonly products?: string;
}

const { merge, path, options, products: module }: MergeChildRequest = JSON.parse(process.argv[2] ?? "");
const notes: string[] = [];
try {
  const source = { ...describeFileMerge(merge), products: module };
  const { plan, close } = await openMergeSource(source);
  const products = module === undefined ? undefined : await openMergeProducts(module, 0);
  const onNote = (note: string): void => void notes.push(note);
  const result = await saveMerge({ ...plan, products }, path, { ...options, source, onNote });
  process.stdout.write(JSON.stringify({ result, notes }));
  await products?.release();
  await close();
} catch (error) {
  process.stdout.write(JSON.stringify({ error: (error as Error).message, notes }));
}
