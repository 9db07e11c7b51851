import { at, createCheckpoint, createTensor, entry, type Tensor } from "@isthmus/core";
import { permute, type Symmetries, wholeSpec } from "@isthmus/symmetry";
import type { Blend, PointWeights } from "@isthmus/training";
import { align } from "@isthmus/weight-matching";
import type { AnchorCache } from "./anchor-cache.ts";
import type { FindStarOptions, ResolvedFindStarOptions } from "./find-star-options.ts";
import { measureNorms } from "./measure-norms.ts";
import type { StarSearch } from "./star-search.ts";

/** Search whose anchors are aligned to the star. */
interface AnchorAlignment extends StarSearch {
  readonly symmetries: Symmetries;
  /** Cache of anchors, whose contents are replaced by the aligned anchors. */
  readonly cache: AnchorCache;
}

/** Options of {@link createAnchorAligner}. */
interface AnchorAlignerOptions {
  readonly options: ResolvedFindStarOptions["search"];
  readonly training: ResolvedFindStarOptions["training"];
  /** All weights with which the star starts, including weights that are not trained. */
  readonly starts: ReadonlyMap<string, Tensor>;
  /** Name of the star among the trained points. */
  readonly star: string;
  readonly onProgress: FindStarOptions["onProgress"];
}

/**
 * Creates the fields of a blend by which a training aligns all anchors to the star before every
 * `alignEvery`-th epoch. The states of the training store the permutation of each anchor, so that a training
 * that resumes between two alignments continues with the permutations of the earlier one.
 */
export function createAnchorAligner(
  search: AnchorAlignment,
  options: AnchorAlignerOptions,
): Required<Pick<Blend, "beginEpoch" | "kept">> {
  const { anchors, symmetries, cache } = search;
  const spec = wholeSpec(symmetries);
  const { alignEvery } = options.options;
  const alignments = anchors.map(() => Int32Array.from({ length: spec.units }, (_, unit) => unit));
  const alignedFor = Int32Array.of(-1);
  let isPlaced = false;
  const place = () => {
    const aligned = anchors.map((anchor, i) => {
      // The alignment is copied, as later alignments are written into the same memory.
      return permute({ source: at(alignments, i, "alignment").slice() }, anchor, spec);
    });
    cache.replace(aligned);
    isPlaced = true;
  };
  return {
    kept: new Map([
      ["anchors aligned for epoch", createTensor("i32", [1], alignedFor)],
      ...alignments.map((source, i) => {
        return [`alignment of anchor ${i}`, createTensor("i32", [spec.units], source)] as const;
      }),
    ]),
    async beginEpoch(epoch, trained) {
      if (epoch % alignEvery === 0 && alignedFor[0] !== epoch) {
        const star = new Map([...options.starts, ...entry(trained, options.star, "trained point")]);
        const sources = await matchAnchors(search, star, { ...options, epoch });
        for (const [i, source] of sources.entries()) at(alignments, i, "alignment").set(source);
        alignedFor[0] = epoch;
        place();
      } else if (!isPlaced) place();
    },
  };
}

/** Matches every anchor to the star, and returns the permutation of each, `[anchors][units]`. */
async function matchAnchors(
  { graph, engine, anchors, data, symmetries }: AnchorAlignment,
  star: PointWeights,
  { options, training, epoch, onProgress }: AnchorAlignerOptions & { readonly epoch: number },
): Promise<Int32Array[]> {
  const { signal, seed } = training;
  const { statisticsExamples: examples, restarts } = options;
  const held = createCheckpoint(new Map(star), {}, "star");
  const target = await measureNorms({ graph, engine, data, examples, signal }, held);
  const sources: Int32Array[] = [];
  for (const anchor of anchors) {
    signal?.throwIfAborted();
    const done = sources.length / anchors.length;
    onProgress?.({ phase: "aligning", done, epoch, aligned: sources.length, anchors: anchors.length });
    const { aligned } = await align({ graph, engine }, [target, anchor], {
      seed,
      restarts,
      signal,
      symmetries,
      proof: "outputs",
    });
    sources.push(at(aligned, 0, "aligned network").alignment.source);
  }
  return sources;
}
