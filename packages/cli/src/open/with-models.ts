import { withAdapters, withModelSource } from "@isthmus/core";
import type { DownloadEstimate } from "@isthmus/distributed";
import { formatBytes } from "../format/format-table.ts";
import type { CommonOptions, Context } from "../verb.ts";

/**
 * Does the work of a verb. Models may be named with an adapter, `model+adapter`. Names of models on the
 * Hugging Face hub are fetched if the user asked for it by `--download`. Nothing that speaks to a network is
 * even loaded otherwise.
 */
export async function withModels<T>(
  options: CommonOptions,
  context: Context,
  act: () => Promise<T>,
): Promise<T> {
  const notes = new Set<string>();
  const onNote = (text: string) => {
    if (!options.quiet && notes.size < notes.add(text).size) context.terminal.note(text);
  };
  const work = () =>
    withAdapters(async (name) => (await import("@isthmus/merging")).openAdapted(name, { onNote }), act);
  if (options.download !== true) return work();
  const { createHubSource, readHubSettings } = await import("@isthmus/distributed");
  const { signal, progress, terminal } = context;
  let step = "Downloading";
  const source = createHubSource({
    settings: await readHubSettings(process.env),
    signal,
    byRange: options.headersOnly === true,
    onStart(estimate) {
      step = `Downloading ${estimate.name}`;
      if (!options.quiet) terminal.note(formatEstimate(estimate));
    },
    onProgress(done, total) {
      const share = total === 0 ? 1 : done / total;
      progress(step, share, () => `${formatBytes(done)} of ${formatBytes(total)}`);
    },
    onWait: (who) => progress(`Waiting for another download of the same model: ${who} at it`),
  });
  return withModelSource(source, work);
}

/** Says how much is about to be fetched. */
function formatEstimate(estimate: DownloadEstimate): string {
  const { name, commit, files, bytes, missingFiles, missingBytes, cache } = estimate;
  const whole = `${name} at commit ${commit.slice(0, 12)} needs ${files} files, ${formatBytes(bytes)}`;
  if (missingFiles === 0) return `${whole}: all are in the cache.`;
  return `${whole}: ${missingFiles} of them, ${formatBytes(missingBytes)}, are downloaded to "${cache}".`;
}
