// Saves merges in a process of its own, as the package is built, which a test may kill or measure. It is called with a list as JSON:
// of each merge what it is, where to save it, and options; it prints a list of what `saveMerge` returns and the notes, or the error.
import { ggufForm } from "@isthmus/core";
import { describeFileMerge, openMergeProducts, openMergeSource, saveMerge } from "@isthmus/merging";

const replies = [];
for (const request of JSON.parse(process.argv[2])) replies.push(await save(request));
process.stdout.write(JSON.stringify(replies));

async function save({ merge, path, options, gguf, products: module }) {
  const notes = [];
  try {
    const source = { ...describeFileMerge(merge), products: module };
    const { plan, close } = await openMergeSource(source);
    const form = gguf && ggufForm(gguf);
    const products = module === undefined ? undefined : await openMergeProducts(module, 0);
    const onNote = (note) => void notes.push(note);
    const result = await saveMerge({ ...plan, products }, path, { ...options, form, source, onNote });
    await products?.release();
    await close();
    return { result, notes };
  } catch (error) {
    return { error: error.message, notes };
  }
}
